// What the rows are made of, and how one is found.
#include "harness/case/operations.h"

#include <algorithm>
#include <array>

namespace storefuzz::program {
namespace {

constexpr std::uint8_t bit(Subject subject) { return 1U << static_cast<int>(subject); }

constexpr std::uint8_t kOnStores = bit(Subject::kStore);
// A StorePath has the reads and writes of one key, and no listing.
constexpr std::uint8_t kOnKeys = kOnStores | bit(Subject::kPath);
constexpr std::uint8_t kOnArrays = bit(Subject::kArray);
constexpr std::uint8_t kOnGroups = bit(Subject::kGroup);
constexpr std::uint8_t kOnNodes = kOnArrays | kOnGroups;
constexpr std::uint8_t kOnHolders = kOnKeys | kOnGroups;  // what nodes can be found below
constexpr std::uint8_t kOnAll = kOnKeys | kOnNodes;

constexpr Arguments kNothing{};
constexpr Arguments kKey{.key = true};
constexpr Arguments kPrefix{.prefix = true};
constexpr Arguments kKeyValue{.key = true, .value = true};
constexpr Arguments kKeyStart{.key = true, .start = true};
constexpr Arguments kKeyRange{.key = true, .start = true, .end = true};
constexpr Arguments kRange{.start = true, .end = true};
constexpr Arguments kValueRange{.value = true, .start = true, .end = true};
constexpr Arguments kOther{.other = true};
constexpr Arguments kFlag{.flag = true};

constexpr auto kRows = std::to_array<Operation>({
#define OPERATION(op, ...) {Op::op, __VA_ARGS__},
#include "harness/case/operations.def"
#undef OPERATION
});

static_assert(std::ranges::all_of(kRows, [](const Operation& it) {
  if (!it.like) return true;
  const Operation& other = kRows[static_cast<std::size_t>(*it.like)];
  return !other.like && other.takes == it.takes && other.gives == it.gives;
}));

}  // namespace

std::span<const Operation> operations() { return kRows; }

const Operation& operation(Op op) { return kRows[static_cast<std::size_t>(op)]; }

std::optional<Op> find_operation(std::string_view word) {
  const auto* found = std::ranges::find(kRows, word, &Operation::word);
  if (found == kRows.end()) return std::nullopt;
  return found->op;
}

std::string_view name_of(Argument argument) {
  constexpr std::string_view kWords[] = {"plain", "edge", "misuse"};
  return kWords[static_cast<std::size_t>(argument)];
}

std::string_view name_of(Op op) { return operation(op).word; }

Op answers_like(Op op) { return operation(op).like.value_or(op); }

}  // namespace storefuzz::program
