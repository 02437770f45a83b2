// The rows, in the order of Op.
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

// A read opens what was not open. Arrays and groups are read and written by zarr's own loop, inside
// of zarr: the call itself is plain.
constexpr auto kRows = std::to_array<Operation>({
    {Op::kGet, "get", Family::kRead, kOnKeys, kKey, Said::kCoroutine, Gives::kBytes,
     OnHandle::kOpens, OnContent::kNone, Op::kGet},
    {Op::kGetRange, "get range", Family::kRange, kOnKeys, kKeyRange, Said::kCoroutine,
     Gives::kBytes, OnHandle::kOpens, OnContent::kNone, Op::kGet},
    {Op::kGetOffset, "get offset", Family::kRange, kOnKeys, kKeyStart, Said::kCoroutine,
     Gives::kBytes, OnHandle::kOpens, OnContent::kNone, Op::kGet},
    {Op::kGetSuffix, "get suffix", Family::kRange, kOnKeys, kKeyStart, Said::kCoroutine,
     Gives::kBytes, OnHandle::kOpens, OnContent::kNone, Op::kGet},
    {Op::kGetPartialValues, "get partial values", Family::kRead, kOnStores, kKey, Said::kCoroutine,
     Gives::kBytesList, OnHandle::kOpens, OnContent::kNone, Op::kGet},
    {Op::kGetRanges, "get ranges", Family::kRange, kOnStores, kKeyRange, Said::kCoroutine,
     Gives::kBytes, OnHandle::kOpens, OnContent::kNone, Op::kGet, Subject::kStore, false, true},
    {Op::kGetRangesSync, "get ranges sync", Family::kRange, kOnStores, kKeyRange, Said::kPlain,
     Gives::kBytes, OnHandle::kOpens, OnContent::kNone, Op::kGet, Subject::kStore, false, true},
    {Op::kExists, "exists", Family::kRead, kOnKeys, kKey, Said::kCoroutine, Gives::kFlag,
     OnHandle::kOpens, OnContent::kNone, Op::kExists},
    {Op::kGetSize, "getsize", Family::kSize, kOnStores, kKey, Said::kCoroutine, Gives::kCount,
     OnHandle::kOpens, OnContent::kNone, Op::kGet},
    {Op::kGetSync, "get sync", Family::kRead, kOnKeys, kKey, Said::kPlain, Gives::kBytes,
     OnHandle::kOpens, OnContent::kNone, Op::kGet, Subject::kStore, false, true},
    {Op::kGetAndOverwrite, "get and overwrite", Family::kRead, kOnStores, kKey, Said::kCoroutine,
     Gives::kBytes, OnHandle::kOpens, OnContent::kNone, Op::kGet},

    {Op::kList, "list", Family::kListing, kOnStores, kNothing, Said::kIterator, Gives::kNames,
     OnHandle::kOpens, OnContent::kNone, Op::kList},
    {Op::kListPrefix, "list prefix", Family::kListing, kOnStores, kPrefix, Said::kIterator,
     Gives::kNames, OnHandle::kOpens, OnContent::kNone, Op::kList},
    {Op::kListDir, "list dir", Family::kListing, kOnStores, kPrefix, Said::kIterator, Gives::kNames,
     OnHandle::kOpens, OnContent::kNone, Op::kList},
    {Op::kIsEmpty, "is empty", Family::kListing, kOnKeys, kPrefix, Said::kCoroutine, Gives::kFlag,
     OnHandle::kOpens, OnContent::kNone, Op::kList},
    {Op::kGetSizePrefix, "getsize prefix", Family::kSize, kOnStores, kPrefix, Said::kCoroutine,
     Gives::kCount, OnHandle::kOpens, OnContent::kNone, Op::kList, Subject::kStore, false, true},
    {Op::kListHalf, "list half", Family::kListing, kOnStores, kNothing, Said::kHalfIterator,
     Gives::kNames, OnHandle::kOpens, OnContent::kNone, Op::kList},

    {Op::kSet, "set", Family::kWrite, kOnKeys, kKeyValue, Said::kCoroutine, Gives::kNothing,
     OnHandle::kWrites, OnContent::kSet, Op::kSet},
    {Op::kSetIfNotExists, "set if not exists", Family::kWrite, kOnKeys, kKeyValue, Said::kCoroutine,
     Gives::kNothing, OnHandle::kWrites, OnContent::kSetIfAbsent, Op::kSet},
    {Op::kSetAndOverwrite, "set and overwrite", Family::kWrite, kOnKeys, kKeyValue,
     Said::kCoroutine, Gives::kNothing, OnHandle::kWrites, OnContent::kSet, Op::kSet},
    {Op::kDelete, "delete", Family::kDelete, kOnKeys, kKey, Said::kCoroutine, Gives::kNothing,
     OnHandle::kWrites, OnContent::kDelete, Op::kDelete},
    {Op::kDeleteDir, "delete dir", Family::kDelete, kOnKeys, kPrefix, Said::kCoroutine,
     Gives::kNothing, OnHandle::kWrites, OnContent::kDeleteBelow, Op::kDelete},
    {Op::kClear, "clear", Family::kDelete, kOnStores, kNothing, Said::kCoroutine, Gives::kNothing,
     OnHandle::kWrites, OnContent::kClear, Op::kDelete},
    {Op::kSetSync, "set sync", Family::kWrite, kOnKeys, kKeyValue, Said::kPlain, Gives::kNothing,
     OnHandle::kWrites, OnContent::kSet, Op::kSet, Subject::kStore, false, true},
    {Op::kDeleteSync, "delete sync", Family::kDelete, kOnKeys, kKey, Said::kPlain, Gives::kNothing,
     OnHandle::kWrites, OnContent::kDelete, Op::kDelete, Subject::kStore, false, true},
    {Op::kDeleteListed, "delete listed", Family::kDelete, kOnStores, kNothing, Said::kCoroutine,
     Gives::kNothing, OnHandle::kWrites, OnContent::kDeleteBelow, Op::kDelete, Subject::kStore,
     false, false, Rule::kListed},

    {Op::kOpen, "open", Family::kLifecycle, kOnKeys, kNothing, Said::kCoroutine, Gives::kNothing,
     OnHandle::kOpens, OnContent::kNone, Op::kOpen},
    {Op::kClose, "close", Family::kLifecycle, kOnKeys, kNothing, Said::kPlain, Gives::kNothing,
     OnHandle::kEnds, OnContent::kNone, Op::kClose},
    {Op::kWith, "with", Family::kLifecycle, kOnKeys, kNothing, Said::kPlain, Gives::kNothing,
     OnHandle::kEnds, OnContent::kNone, Op::kClose},
    {Op::kEnter, "enter", Family::kLifecycle, kOnStores, kNothing, Said::kPlain, Gives::kFlag,
     OnHandle::kNone, OnContent::kNone, Op::kEnter},
    {Op::kMoveReadOnly, "move read only", Family::kLifecycle, kOnStores, kNothing, Said::kCoroutine,
     Gives::kNothing, OnHandle::kOpens, OnContent::kNone, Op::kMoveReadOnly, Subject::kStore, false,
     true, Rule::kMoves},

    {Op::kReadOnly, "read only", Family::kState, kOnAll, kNothing, Said::kPlain, Gives::kFlag,
     OnHandle::kNone, OnContent::kNone, Op::kReadOnly},
    {Op::kEqual, "equal", Family::kState, kOnAll, kOther, Said::kPlain, Gives::kFlag,
     OnHandle::kNone, OnContent::kNone, Op::kEqual},
    {Op::kEqualOpposite, "equal opposite", Family::kState, kOnStores, kNothing, Said::kPlain,
     Gives::kFlag, OnHandle::kNone, OnContent::kNone, Op::kEqualOpposite, Subject::kStore, false,
     true, Rule::kOwnAnswer},
    {Op::kState, "state", Family::kState, kOnKeys, kNothing, Said::kPlain, Gives::kState,
     OnHandle::kNone, OnContent::kNone, Op::kState},

    {Op::kWithReadOnly, "with read only", Family::kBind, kOnStores, kFlag, Said::kPlain,
     Gives::kHandle, OnHandle::kNone, OnContent::kNone, Op::kWithReadOnly, Subject::kStore, false,
     true},
    {Op::kStorePath, "store path", Family::kBind, kOnKeys, kKey, Said::kPlain, Gives::kHandle,
     OnHandle::kNone, OnContent::kNone, Op::kStorePath, Subject::kPath},
    {Op::kOpenArray, "open array", Family::kBind, kOnHolders, kKey, Said::kPlain, Gives::kHandle,
     OnHandle::kOpens, OnContent::kNone, Op::kOpenArray, Subject::kArray},
    {Op::kOpenGroup, "open group", Family::kBind, kOnHolders, kKey, Said::kPlain, Gives::kHandle,
     OnHandle::kOpens, OnContent::kNone, Op::kOpenGroup, Subject::kGroup},
    {Op::kOpenConsolidated, "open consolidated", Family::kBind, kOnHolders, kKey, Said::kPlain,
     Gives::kHandle, OnHandle::kOpens, OnContent::kNone, Op::kOpenConsolidated, Subject::kGroup},
    {Op::kCreateArray, "create array", Family::kBind, kOnHolders, kKey, Said::kPlain,
     Gives::kHandle, OnHandle::kWrites, OnContent::kUnknown, Op::kCreateArray, Subject::kArray},
    {Op::kCreateGroup, "create group", Family::kBind, kOnHolders, kKey, Said::kPlain,
     Gives::kHandle, OnHandle::kWrites, OnContent::kUnknown, Op::kCreateGroup, Subject::kGroup},
    {Op::kConsolidate, "consolidate metadata", Family::kBind, kOnHolders, kKey, Said::kPlain,
     Gives::kHandle, OnHandle::kWrites, OnContent::kUnknown, Op::kConsolidate, Subject::kGroup},

    {Op::kReadBlock, "read block", Family::kArray, kOnArrays, kRange, Said::kPlain, Gives::kNumbers,
     OnHandle::kOpens, OnContent::kNone, Op::kReadBlock},
    {Op::kWriteBlock, "write block", Family::kArray, kOnArrays, kValueRange, Said::kPlain,
     Gives::kNothing, OnHandle::kWrites, OnContent::kUnknown, Op::kWriteBlock},
    {Op::kGetAttributes, "get attributes", Family::kArray, kOnNodes, kNothing, Said::kPlain,
     Gives::kState, OnHandle::kNone, OnContent::kNone, Op::kGetAttributes},
    {Op::kSetAttributes, "set attributes", Family::kArray, kOnNodes, kKeyValue, Said::kPlain,
     Gives::kNothing, OnHandle::kWrites, OnContent::kUnknown, Op::kSetAttributes},
    {Op::kMembers, "members", Family::kArray, kOnGroups, kNothing, Said::kPlain, Gives::kNames,
     OnHandle::kOpens, OnContent::kNone, Op::kMembers},

    {Op::kSetBytes, "set bytes", Family::kWrite, kOnKeys, kKeyValue, Said::kCoroutine,
     Gives::kNothing, OnHandle::kWrites, OnContent::kSet, Op::kSetBytes, Subject::kStore, true},
    {Op::kSetBytesIfNotExists, "set bytes if not exists", Family::kWrite, kOnStores, kKeyValue,
     Said::kCoroutine, Gives::kNothing, OnHandle::kWrites, OnContent::kSetIfAbsent, Op::kSetBytes,
     Subject::kStore, true},
});

// operation() finds a row by counting.
static_assert([] {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].op != static_cast<Op>(i)) return false;
  return kRows.back().op == Op::kSetBytesIfNotExists;
}());

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

}  // namespace storefuzz::program
