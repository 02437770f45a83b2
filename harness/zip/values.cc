// See values.h.
#include "harness/zip/values.h"

#include <zlib.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "harness/zip/deflate.h"
#include "harness/zip/records.h"
#include "harness/zip/structure.h"

namespace storefuzz {
namespace {

constexpr std::size_t kMostInAll = 64 << 20;    // bytes decompressed
constexpr std::size_t kMostSummed = 256 << 20;  // bytes of stored data
constexpr std::size_t kMostHeaders = 4096;      // looked behind
constexpr std::size_t kMostSizes = 1 << 19;     // stated, of all headers
constexpr std::uint16_t kEncrypted = 1;         // a flag (4.4.4)

template <class Header, class Read>
std::vector<Header> every(std::string_view bytes, std::string_view signature, Read read) {
  std::vector<Header> headers;
  for (std::size_t at = 0;
       headers.size() < kMostHeaders && (at = bytes.find(signature, at)) != bytes.npos; ++at)
    if (const auto header = read(bytes, at)) headers.push_back(*header);
  return headers;
}

std::vector<LocalHeader> every_local(std::string_view bytes) {
  return every<LocalHeader>(bytes, kLocal, local_at);
}
std::vector<CentralHeader> every_central(std::string_view bytes) {
  return every<CentralHeader>(bytes, kCentral, central_at);
}

// Sizes that are stated anywhere for a header, by itself or by central headers of its name or
// place.
class StatedSizes {
 public:
  explicit StatedSizes(const std::vector<CentralHeader>& centrals) {
    for (const CentralHeader& central : centrals) {
      const Sizes told = sizes_of(central);
      for (auto* sizes : {&by_name_[central.name], &by_place_[told.offset]})
        sizes->insert({told.packed, told.size, central.packed, central.size});
    }
  }

  std::set<std::uint64_t> of(const LocalHeader& local, std::size_t most) const {
    const Sizes own = sizes_of(local);
    std::set<std::uint64_t> sizes = {own.packed, own.size, local.packed, local.size};
    const auto add = [&](const auto& index, const auto& key) {
      const auto found = index.find(key);
      if (found == index.end()) return;
      for (const std::uint64_t size : found->second)
        if (sizes.size() < most) sizes.insert(size);
    };
    add(by_name_, local.name);
    add(by_place_, local.at);
    return sizes;
  }

 private:
  std::map<std::string_view, std::set<std::uint64_t>> by_name_;
  std::map<std::uint64_t, std::set<std::uint64_t>> by_place_;
};

// The sums of the beginnings of these bytes that have these sizes, in one pass; false where the
// budget does not reach.
bool add_beginnings(std::string_view bytes, const std::set<std::uint64_t>& sizes,
                    std::size_t& budget, std::set<ValueSum>& sums) {
  ValueSum sum;
  for (const std::uint64_t size : sizes) {
    if (size > bytes.size()) return true;
    if (size - sum.size > budget) return false;
    budget -= size - sum.size;
    const std::string_view more = bytes.substr(sum.size, size - sum.size);
    sum = {.size = size,
           .crc = static_cast<std::uint32_t>(
               crc32_z(sum.crc, reinterpret_cast<const Bytef*>(more.data()), more.size()))};
    sums.insert(sum);
  }
  return true;
}

// Those with a signature, and those without one where a central header points: not every reader
// looks whether a local header is there before it reads what should be behind it.
std::vector<LocalHeader> headers_to_look_behind(std::string_view bytes,
                                                std::vector<LocalHeader> headers,
                                                const std::vector<CentralHeader>& centrals) {
  for (const CentralHeader& central : centrals) {
    const std::uint64_t offset = sizes_of(central).offset;
    if (offset > bytes.size() || bytes.size() - offset < kLocalSize || local_at(bytes, offset))
      continue;
    const std::size_t data =
        offset + kLocalSize + n16(bytes, offset + 26) + n16(bytes, offset + 28);
    if (data <= bytes.size())
      headers.push_back({.at = offset,
                         .data = data,
                         .packed = central.packed,
                         .size = central.size,
                         .name = central.name,
                         .extra = {}});
  }
  return headers;
}

}  // namespace

ValueSum sum_of(std::string_view bytes) {
  return {.size = bytes.size(),
          .crc = static_cast<std::uint32_t>(
              crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()))};
}

std::set<ValueSum> values_in(std::string_view bytes) {
  const auto other = [](const auto& it) { return it.method != 0 && it.method != 8; };
  const std::vector<LocalHeader> locals = every_local(bytes);
  const std::vector<CentralHeader> centrals = every_central(bytes);
  if (std::ranges::any_of(locals, other) || std::ranges::any_of(centrals, other)) return {};
  if (std::max(locals.size(), centrals.size()) >= kMostHeaders) return {};
  std::set<ValueSum> sums = {{.size = 0, .crc = 0}};
  const StatedSizes stated(centrals);
  std::size_t budget = kMostInAll, summed = kMostSummed, sizes_left = kMostSizes;
  for (const LocalHeader& local : headers_to_look_behind(bytes, locals, centrals)) {
    const std::set<std::uint64_t> sizes = stated.of(local, sizes_left);
    sizes_left -= std::min(sizes_left, sizes.size());
    if (sizes_left == 0) return {};
    const std::string_view data = bytes.substr(local.data);
    if (!add_beginnings(data, sizes, summed, sums)) return {};
    const Decompressed value = decompressed(data, budget);
    budget -= std::min(budget, std::max(value.bytes.size(), value.taken));
    if (budget == 0) return {};
    sums.insert(sum_of(value.bytes));
    std::size_t rest = value.bytes.size();
    add_beginnings(value.bytes, sizes, rest, sums);
  }
  return sums;
}

NamesInFile all_names_in(std::string_view bytes) {
  NamesInFile names;
  std::unordered_map<std::string_view, std::size_t> places;
  const auto at = [&](std::string_view name) -> NameInFile& {
    const auto [place, fresh] = places.try_emplace(name, names.list.size());
    if (fresh) names.list.push_back({.name = name});
    return names.list[place->second];
  };
  const std::vector<CentralHeader> centrals = every_central(bytes);
  for (const CentralHeader& header : centrals) {
    NameInFile& name = at(header.name);
    const std::uint64_t size = sizes_of(header).size;
    name.size = std::max(name.size, size);
    if ((header.flags & kEncrypted) != 0)
      name.encrypted = ValueSum{.size = size, .crc = header.crc};
  }
  const std::vector<LocalHeader> locals = every_local(bytes);
  for (const LocalHeader& header : locals) at(header.name);
  names.whole = std::max(centrals.size(), locals.size()) < kMostHeaders;
  return names;
}

std::vector<std::string> names_in(std::string_view bytes, std::size_t most) {
  std::vector<std::string> names;
  for (const NameInFile& it : all_names_in(bytes).list)
    if (names.size() < most && it.name.size() <= kLongestName) names.emplace_back(it.name);
  return names;
}

}  // namespace storefuzz
