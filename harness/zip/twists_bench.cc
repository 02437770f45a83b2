// The archive on the bench: values packed and changed, entries found and put beside others.
#include <fmt/format.h>
#include <zlib.h>

#include <iterator>
#include <variant>

#include "harness/zip/structure.h"
#include "harness/zip/twists_kinds.h"

namespace storefuzz::twists {
namespace {

constexpr std::size_t kMostUnpacked = 1 << 20;

// As far as kMostUnpacked; nothing, where the bytes are no such stream.
std::optional<std::string> inflated(std::string_view packed) {
  z_stream stream{};
  if (inflateInit2(&stream, -15) != Z_OK) return std::nullopt;
  std::string value(std::min(kMostUnpacked, packed.size() * 1040 + 64), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(value.data());
  stream.avail_out = static_cast<uInt>(value.size());
  const int status = inflate(&stream, Z_SYNC_FLUSH);
  value.resize(stream.total_out);
  inflateEnd(&stream);
  if (status != Z_STREAM_END && status != Z_OK) return std::nullopt;
  return value;
}

// Of the same length where that is possible. In a text the first digit that is not the format of
// Zarr, so that metadata stay readable; else a bit of every byte.
std::string changed(std::string value) {
  if (value.empty()) return "1";
  const bool text =
      std::ranges::all_of(value, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
  const std::string_view format = "zarr_format";
  for (std::size_t i = 0; text && i < value.size(); ++i) {
    if (value.compare(i, format.size(), format) == 0)
      i = std::min(value.find_first_of("0123456789", i), value.size() - 1);
    else if (value[i] >= '0' && value[i] <= '9')
      return value[i] = value[i] == '9' ? '8' : static_cast<char>(value[i] + 1), value;
  }
  for (char& c : value) c = static_cast<char>(c ^ 1);
  return value;
}

Run run_of(const Bench& bench, std::size_t from, std::size_t count) {
  Run run{.at = bench.place_of(from) - bench.zip.shift, .count = count};
  for (std::size_t i = from; i < from + count; ++i) run.size += rendered_size(bench.zip.parts[i]);
  return run;
}

}  // namespace

bool ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string without_zip64(std::string_view extra) {
  std::string rest;
  for (const ExtraField& field : extra_fields(extra)) {
    if (field.id == kZip64Extra) continue;
    append(rest, field.id);
    append(rest, static_cast<std::uint16_t>(field.bytes.size()));
    rest += field.bytes;
  }
  return rest;
}

void set_host(CentralPart& central, std::uint16_t host) {
  central.made_by = static_cast<std::uint16_t>((host << 8) | (central.made_by & 0xff));
}

void set_comment(EndPart& end, std::string comment) {
  if (comment.size() > kLongest) return;
  end.comment_length = static_cast<std::uint16_t>(comment.size());
  end.comment = std::move(comment);
}

void name_both(LocalPart& local, CentralPart& central, std::string_view name) {
  both(local, central, [&](auto& it) { set_name(it, name); });
}

void set_value(LocalPart& local, CentralPart& central, std::string_view value) {
  local.data = local.method == kDeflated ? deflated(value) : std::string(value);
  both(local, central, [&](auto& header) {
    set_extra(header, without_zip64(header.extra));
    header.flags &= static_cast<std::uint16_t>(~kLater);
    header.method = local.method;
    header.crc = sum_of(value).crc;
    header.packed = static_cast<std::uint32_t>(local.data.size());
    header.size = static_cast<std::uint32_t>(value.size());
  });
}

std::string in_other_case(std::string name, bool whole) {
  for (char& c : name) {
    const bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
    if (lower || upper) c = static_cast<char>(c ^ 0x20);
    if ((lower || upper) && !whole) break;
  }
  return name;
}

// --- the bench

std::string Bench::result() {
  if (after) return std::move(*after);
  settle();
  return render(zip);
}

void Bench::settle() {
  if (!settled_) repair(zip);
  settled_ = true;
}

std::optional<std::size_t> Bench::central_at(std::size_t further) const {
  const auto centrals = all<CentralPart>();
  if (centrals.empty()) return std::nullopt;
  return centrals[(entry_ + further) % centrals.size()];
}

std::optional<std::size_t> Bench::local_at() const {
  const auto locals = all<LocalPart>();
  if (locals.empty()) return std::nullopt;
  if (const auto at = central_at())
    if (const auto label = std::get<CentralPart>(zip.parts[*at]).local)
      for (const std::size_t i : locals)
        if (std::get<LocalPart>(zip.parts[i]).label == *label) return i;
  return locals[entry_ % locals.size()];
}

std::optional<std::size_t> Bench::end_at() const {
  const auto ends = all<EndPart>();
  if (ends.empty()) return std::nullopt;
  return ends.back();
}

std::size_t Bench::ends_at() const {
  std::size_t at = end_at().value_or(zip.parts.size());
  while (at > 0 && (std::holds_alternative<Zip64LocatorPart>(zip.parts[at - 1]) ||
                    std::holds_alternative<Zip64EndPart>(zip.parts[at - 1])))
    --at;
  return at;
}

std::size_t Bench::directory_at() const {
  std::size_t at = ends_at();
  while (at > 0 && std::holds_alternative<CentralPart>(zip.parts[at - 1])) --at;
  return at;
}

std::uint64_t Bench::place_of(std::size_t index) const {
  std::uint64_t place = 0;
  for (std::size_t i = 0; i < index; ++i) place += rendered_size(zip.parts[i]);
  return place;
}

void Bench::insert(std::size_t at, ZipPart part) {
  zip.parts.insert(zip.parts.begin() + static_cast<std::ptrdiff_t>(at), std::move(part));
}

void Bench::insert(std::size_t at, std::vector<ZipPart> parts) {
  zip.parts.insert(zip.parts.begin() + static_cast<std::ptrdiff_t>(at),
                   std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
}

void Bench::erase(std::size_t from, std::size_t to) {
  zip.parts.erase(zip.parts.begin() + static_cast<std::ptrdiff_t>(from),
                  zip.parts.begin() + static_cast<std::ptrdiff_t>(to));
}

std::uint32_t Bench::new_label() const {
  std::uint32_t label = 0;
  for (const ZipPart& it : zip.parts)
    if (const auto* local = std::get_if<LocalPart>(&it)) label = std::max(label, local->label + 1);
  return label;
}

std::size_t Bench::behind(std::size_t local) const {
  const std::size_t next = local + 1;
  return next +
         (next < zip.parts.size() && std::holds_alternative<DescriptorPart>(zip.parts[next]));
}

std::string Bench::value() {
  LocalPart& header = local();
  if (header.method != kDeflated) return header.data;
  return inflated(header.data).value_or(header.data);
}

std::string Bench::other_value() { return changed(value()); }

void Bench::put_value(std::string_view value, std::uint16_t method) {
  local().method = method;
  set_value(local(), central(), value);
  erase(*local_at() + 1, behind(*local_at()));
}

NewEntry Bench::entry(std::string_view name, std::string_view value) {
  NewEntry new_entry;
  new_entry.central.made_by = kUnix << 8 | 20;
  new_entry.central.attributes = kUnixFile;
  if (has_entry()) {
    new_entry.local.method = local().method == kDeflated ? kDeflated : kStored;
    new_entry.central.made_by = central().made_by;
    new_entry.central.attributes = central().attributes;
  }
  new_entry.local.label = new_label();
  new_entry.central.local = new_entry.local.label;
  name_both(new_entry.local, new_entry.central, name);
  set_value(new_entry.local, new_entry.central, value);
  if (!ascii(name))
    both(new_entry.local, new_entry.central, [](auto& header) { header.flags |= kUtf8; });
  return new_entry;
}

void Bench::beside(NewEntry new_entry, bool first, bool first_in_directory) {
  if (!has_entry()) return append_entry(std::move(new_entry));
  const std::size_t central = *central_at() + (first_in_directory ? 0 : 1);
  const std::size_t local = first ? *local_at() : behind(*local_at());
  insert(std::max(central, local),
         central > local ? ZipPart(std::move(new_entry.central)) : new_entry.local);
  insert(std::min(central, local),
         central > local ? ZipPart(std::move(new_entry.local)) : new_entry.central);
}

void Bench::append_entry(NewEntry new_entry) {
  insert(ends_at(), std::move(new_entry.central));
  insert(directory_at(), std::move(new_entry.local));
}

void Bench::append_many(std::size_t count) {
  std::vector<ZipPart> locals, centrals;
  locals.reserve(count), centrals.reserve(count);
  NewEntry new_entry = entry("0", "");
  new_entry.local.method = new_entry.central.method = kStored;
  set_value(new_entry.local, new_entry.central, "");
  const std::uint32_t label = new_entry.local.label;
  for (std::uint32_t i = 0; i < count; ++i) {
    name_both(new_entry.local, new_entry.central, fmt::format("m/{}", i));
    new_entry.local.label = label + i;
    new_entry.central.local = label + i;
    locals.emplace_back(new_entry.local);
    centrals.emplace_back(new_entry.central);
  }
  insert(ends_at(), std::move(centrals));
  insert(directory_at(), std::move(locals));
}

Bench::Other Bench::other() {
  Other all_again;
  const auto count = static_cast<std::uint32_t>(all<CentralPart>().size());
  std::uint32_t label = new_label();
  for (std::uint32_t i = 0; i < count && i < 1000; ++i) {
    entry_ = i;
    if (!has_entry()) break;
    NewEntry new_entry = entry(central().name, other_value());
    new_entry.local.label = label;
    new_entry.central.local = label++;
    all_again.locals.emplace_back(std::move(new_entry.local));
    all_again.centrals.emplace_back(std::move(new_entry.central));
  }
  return all_again;
}

void Bench::put_in_comment(std::vector<ZipPart> parts) {
  const std::uint64_t place = place_of(*end_at()) + kEndSize - zip.shift;
  ZipLayout inner{.parts = std::move(parts), .shift = 0 - place};
  repair(inner);
  set_comment(end(), render(inner));
}

// --- what several kinds do

std::vector<ZipPart> joined(std::vector<ZipPart> left, std::vector<ZipPart> right) {
  left.insert(left.end(), std::make_move_iterator(right.begin()),
              std::make_move_iterator(right.end()));
  return left;
}

void put_beside(Bench& bench, std::string_view name) {
  const bool first = bench.draw.coin();
  const bool crossed = bench.draw.coin();
  bench.beside(bench.entry(name, bench.other_value()), first, first != crossed);
}

std::pair<Run, Run> add_directory(Bench& bench, bool first, bool apart) {
  auto [locals, centrals] = bench.other();
  const std::size_t count = bench.ends_at() - bench.directory_at(), other = centrals.size();
  const std::size_t at = bench.directory_at();
  std::size_t gap = 0;
  if (apart) {
    gap = 1;
    bench.insert(first ? at : at + count, GapPart{std::string(7, '\0')});
  }
  bench.insert(first ? at : at + count + gap, std::move(centrals));
  bench.insert(at, std::move(locals));
  bench.settle();
  const std::size_t one = at + other;  // behind the local parts
  return first ? std::pair(run_of(bench, one, other), run_of(bench, one + other + gap, count))
               : std::pair(run_of(bench, one, count), run_of(bench, one + count + gap, other));
}

}  // namespace storefuzz::twists
