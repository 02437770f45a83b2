// See layout.h.
#include "harness/zip/layout.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "harness/zip/records.h"
#include "harness/zip/structure.h"

namespace storefuzz {
namespace {

constexpr std::array kSignatures = {kLocal, kDescriptor, kCentral, kZip64End, kLocator, kEnd};
constexpr std::size_t kSignature = 4;
constexpr std::uint64_t kStatedLess = 12;  // 4.3.14.1: the size does not count itself
constexpr std::uint16_t kLaterSizes = 8;   // bit 3 of the flags (4.4.4)

// --- the fixed fields of each record, in their order: one list to read and to write by

template <class Part>
void fields(Part& part, auto&& each) {
  using Kind = std::remove_const_t<Part>;
  const auto all = [&](auto&... field) { (each(field), ...); };
  if constexpr (std::is_same_v<Kind, LocalPart>)
    all(part.version, part.flags, part.method, part.time, part.date, part.crc, part.packed,
        part.size, part.name_length, part.extra_length);
  else if constexpr (std::is_same_v<Kind, CentralPart>)
    all(part.made_by, part.version, part.flags, part.method, part.time, part.date, part.crc,
        part.packed, part.size, part.name_length, part.extra_length, part.comment_length, part.disk,
        part.internal, part.attributes, part.offset);
  else if constexpr (std::is_same_v<Kind, Zip64EndPart>)
    all(part.stated_size, part.made_by, part.version, part.disk, part.directory_disk, part.here,
        part.total, part.size, part.offset);
  else if constexpr (std::is_same_v<Kind, Zip64LocatorPart>)
    all(part.disk, part.offset, part.disks);
  else
    all(part.disk, part.directory_disk, part.here, part.total, part.size, part.offset,
        part.comment_length);
}

// --- writing

// Little-endian (4.4.1.3).
template <class Number>
void append(std::string& bytes, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    bytes += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

struct Writer {
  std::string& bytes;

  void record(std::string_view signature, const auto& part) {
    bytes += signature;
    fields(part, [this](auto value) { append(bytes, value); });
  }
  void operator()(const LocalPart& local) {
    record(kLocal, local);
    bytes.append(local.name).append(local.extra).append(local.data);
  }
  void operator()(const DescriptorPart& descriptor) {
    if (descriptor.with_signature) bytes += kDescriptor;
    append(bytes, descriptor.crc);
    for (const std::uint64_t size : {descriptor.packed, descriptor.size})
      descriptor.wide ? append(bytes, size) : append(bytes, static_cast<std::uint32_t>(size));
  }
  void operator()(const CentralPart& central) {
    record(kCentral, central);
    bytes.append(central.name).append(central.extra).append(central.comment);
  }
  void operator()(const Zip64EndPart& zip64) {
    record(kZip64End, zip64);
    bytes += zip64.extensible;
  }
  void operator()(const Zip64LocatorPart& locator) { record(kLocator, locator); }
  void operator()(const EndPart& end) {
    record(kEnd, end);
    bytes += end.comment;
  }
  void operator()(const GapPart& gap) { bytes += gap.bytes; }
};

struct Measure {
  std::size_t operator()(const LocalPart& local) const {
    return kLocalSize + local.name.size() + local.extra.size() + local.data.size();
  }
  std::size_t operator()(const DescriptorPart& descriptor) const {
    return (descriptor.with_signature ? 8 : 4) + (descriptor.wide ? 16 : 8);
  }
  std::size_t operator()(const CentralPart& central) const {
    return kCentralSize + central.name.size() + central.extra.size() + central.comment.size();
  }
  std::size_t operator()(const Zip64EndPart& zip64) const {
    return kZip64EndSize + zip64.extensible.size();
  }
  std::size_t operator()(const Zip64LocatorPart&) const { return kLocatorSize; }
  std::size_t operator()(const EndPart& end) const { return kEndSize + end.comment.size(); }
  std::size_t operator()(const GapPart& gap) const { return gap.bytes.size(); }
};

// --- parsing

std::uint64_t packed_of(const LocalPart& local) {
  return sizes_of(LocalHeader{.packed = local.packed, .size = local.size, .extra = local.extra})
      .packed;
}

std::uint64_t offset_of(const CentralPart& central) {
  return sizes_of(CentralHeader{.packed = central.packed,
                                .size = central.size,
                                .offset = central.offset,
                                .extra = central.extra})
      .offset;
}

class Parser {
 public:
  explicit Parser(std::string_view bytes) : bytes_(bytes) {}

  std::vector<ZipPart> parts() {
    while (at_ < bytes_.size() && parts_.size() + 4 < kMostParts) {
      const std::size_t place = next_signature(search_);
      if (place == bytes_.npos) break;
      search_ = place + 1;
      if (!record(place)) continue;
      search_ = at_;
    }
    gap_until(bytes_.size());
    return std::move(parts_);
  }

 private:
  bool fits(std::size_t place, std::uint64_t size) const {
    return place <= bytes_.size() && size <= bytes_.size() - place;
  }
  bool stands(std::size_t place, std::string_view signature) const {
    return fits(place, kSignature) && bytes_.substr(place, kSignature) == signature;
  }
  bool any_stands(std::size_t place) const {
    return std::ranges::any_of(kSignatures, [&](auto it) { return stands(place, it); });
  }
  // What is passed over here becomes data or a gap: all calls together pass twice over the bytes.
  std::size_t next_signature(std::size_t place) const {
    while ((place = bytes_.find("PK", place)) != bytes_.npos && !any_stands(place)) ++place;
    return place;
  }

  std::string text(std::size_t size) {
    std::string taken(bytes_.substr(at_, size));
    at_ += size;
    return taken;
  }
  void gap_until(std::size_t place) {
    if (place > at_) parts_.emplace_back(GapPart{std::string(bytes_.substr(at_, place - at_))});
    at_ = place;
  }
  // Reads the fixed fields of a record at `place`, with what lies before it as a gap, if it has
  // room for them and for what `behind` says follows. Stands behind the fields then.
  template <class Part>
  std::optional<Part> open(std::size_t place, std::size_t size, auto&& behind) {
    if (!fits(place, size)) return std::nullopt;
    Part part;
    std::size_t field = place + kSignature;
    fields(part, [&]<class Number>(Number& value) {
      value = number<Number>(bytes_, field);
      field += sizeof(Number);
    });
    if (!fits(field, behind(part))) return std::nullopt;
    gap_until(place);
    at_ = field;
    return part;
  }

  bool record(std::size_t place) {
    if (stands(place, kLocal)) return local(place);
    if (stands(place, kDescriptor)) return descriptor(place, true);
    if (stands(place, kCentral)) return central(place);
    if (stands(place, kZip64End)) return zip64_end(place);
    if (stands(place, kLocator)) return locator(place);
    return end(place);
  }

  bool local(std::size_t place) {
    auto part = open<LocalPart>(place, kLocalSize, [](const LocalPart& header) -> std::size_t {
      return header.name_length + header.extra_length;
    });
    if (!part) return false;
    part->label = labels_++;
    part->name = text(part->name_length);
    part->extra = text(part->extra_length);
    const bool later = (part->flags & kLaterSizes) != 0;
    part->data = text(end_of_data(place, packed_of(*part), later) - at_);
    parts_.emplace_back(std::move(*part));
    if (later && !any_stands(at_)) descriptor(at_, false);
    return true;
  }

  // Where the data that begin at at_ end: where one of the two headers says and something follows;
  // else where the local header says, or at the next signature.
  std::size_t end_of_data(std::size_t header, std::uint64_t stated, bool later) {
    const auto ends_well = [&](std::uint64_t size) {
      return fits(at_, size) && (at_ + size == bytes_.size() || any_stands(at_ + size) ||
                                 (later && has_bare_descriptor(at_ + size)));
    };
    const bool unsaid = later && stated == 0;  // 4.4.4: the sizes come later
    if (!unsaid && ends_well(stated)) return at_ + stated;
    if (const auto packed = listed(header); packed && ends_well(*packed)) return at_ + *packed;
    if (!unsaid && fits(at_, stated)) return at_ + stated;
    const std::size_t next = std::min(next_signature(at_), bytes_.size());
    for (const std::size_t size : {12, 20})  // a descriptor that tells its own distance
      if (later && next >= at_ + size && !stands(next, kDescriptor) &&
          packed_at(next - size, size) == next - size - at_)
        return next - size;
    return next;
  }
  std::uint64_t packed_at(std::size_t place, std::size_t size) const {
    return size == 12 ? number<std::uint32_t>(bytes_, place + 4)
                      : number<std::uint64_t>(bytes_, place + 4);
  }
  bool has_bare_descriptor(std::size_t place) const {
    return any_stands(place + 12) || any_stands(place + 20);
  }

  // The packed size that some central header says of the local header at `place`.
  std::optional<std::uint64_t> listed(std::size_t place) {
    if (!listed_) {
      listed_.emplace();
      for (std::size_t at = 0; (at = bytes_.find(kCentral, at)) != bytes_.npos; ++at)
        if (const auto header = central_at(bytes_, at)) {
          const Sizes sizes = sizes_of(*header);
          listed_->emplace_back(sizes.offset, sizes.packed);
          if (listed_->size() == kMostParts) break;
        }
      std::ranges::sort(*listed_);
    }
    const auto it =
        std::ranges::lower_bound(*listed_, place, {}, [](const auto& pair) { return pair.first; });
    if (it == listed_->end() || it->first != place) return std::nullopt;
    return it->second;
  }

  bool descriptor(std::size_t place, bool with_signature) {
    const std::size_t fixed = with_signature ? 8 : 4;  // before the sizes
    const auto ends = [&](std::size_t sizes) {
      const std::size_t end = place + fixed + sizes;
      return any_stands(end) || (with_signature && end == bytes_.size());
    };
    const bool wide = !ends(8) && ends(16);
    if (!with_signature && !wide && !ends(8)) return false;
    if (!fits(place, fixed + (wide ? 16 : 8))) return false;
    gap_until(place);
    const std::size_t at = place + fixed;
    DescriptorPart part{.with_signature = with_signature,
                        .wide = wide,
                        .crc = number<std::uint32_t>(bytes_, at - 4)};
    part.packed = wide ? number<std::uint64_t>(bytes_, at) : number<std::uint32_t>(bytes_, at);
    part.size =
        wide ? number<std::uint64_t>(bytes_, at + 8) : number<std::uint32_t>(bytes_, at + 4);
    at_ = at + (wide ? 16 : 8);
    parts_.emplace_back(part);
    return true;
  }

  bool central(std::size_t place) {
    auto part =
        open<CentralPart>(place, kCentralSize, [](const CentralPart& header) -> std::size_t {
          return header.name_length + header.extra_length + header.comment_length;
        });
    if (!part) return false;
    part->name = text(part->name_length);
    part->extra = text(part->extra_length);
    part->comment = text(part->comment_length);
    parts_.emplace_back(std::move(*part));
    return true;
  }

  bool zip64_end(std::size_t place) {
    auto part = open<Zip64EndPart>(place, kZip64EndSize, [](auto&) { return 0; });
    if (!part) return false;
    const std::uint64_t least = kZip64EndSize - kStatedLess;
    if (part->stated_size > least && fits(at_, part->stated_size - least))
      part->extensible = text(part->stated_size - least);
    parts_.emplace_back(std::move(*part));
    return true;
  }

  bool locator(std::size_t place) {
    auto part = open<Zip64LocatorPart>(place, kLocatorSize, [](auto&) { return 0; });
    if (!part) return false;
    parts_.emplace_back(*part);
    return true;
  }

  bool end(std::size_t place) {
    auto part = open<EndPart>(place, kEndSize, [](auto&) { return 0; });
    if (!part) return false;
    if (fits(at_, part->comment_length)) part->comment = text(part->comment_length);
    parts_.emplace_back(std::move(*part));
    return true;
  }

  std::string_view bytes_;
  std::vector<ZipPart> parts_;
  std::size_t at_ = 0;      // behind what is in parts_
  std::size_t search_ = 0;  // where the next record is looked for
  std::uint32_t labels_ = 0;
  // Offset → packed size, by the directory; made when first asked for.
  std::optional<std::vector<std::pair<std::uint64_t, std::uint64_t>>> listed_;
};

// --- facts

// The run of central headers last before an end record, and where the record before a locator is.
struct Directory {
  std::uint64_t at = 0, size = 0, count = 0, zip64_at = 0;
  std::uint64_t first_offset = 0;  // of its first header, zip64 looked through
};

// Calls each(part, place, directory) for every part.
template <class Zip>
void walk(Zip& zip, auto&& each) {
  Directory directory;
  bool in_run = false, in_ends = false;
  std::uint64_t place = 0;
  for (auto& part : zip.parts) {
    const auto* central = std::get_if<CentralPart>(&part);
    const bool ends = std::holds_alternative<Zip64EndPart>(part) ||
                      std::holds_alternative<Zip64LocatorPart>(part) ||
                      std::holds_alternative<EndPart>(part);
    if (central && !in_run)
      directory = {
          .at = place, .zip64_at = directory.zip64_at, .first_offset = offset_of(*central)};
    if (central) ++directory.count, directory.size += rendered_size(part);
    if (std::holds_alternative<Zip64EndPart>(part)) directory.zip64_at = place;
    if (ends && !in_ends && directory.count == 0) directory.at = place;
    in_run = central != nullptr;
    in_ends = ends;
    each(part, place, std::as_const(directory));
    if (std::holds_alternative<EndPart>(part))
      directory = {.zip64_at = directory.zip64_at}, in_ends = false;
    place += rendered_size(part);
  }
}

// Where the parts with a label lie.
struct Place {
  std::uint32_t label = 0;
  std::uint64_t at = 0;
};
std::vector<Place> places_of(const ZipLayout& zip) {
  std::vector<Place> places;
  walk(zip, [&](const ZipPart& part, std::uint64_t place, const Directory&) {
    if (const auto* it = std::get_if<LocalPart>(&part)) places.push_back({it->label, place});
  });
  return places;
}

// What must be added to offsets, if the directory is further on than the last end record says, and
// its first header is further on in the same way.
std::uint64_t shift_of(const ZipLayout& zip, const std::vector<Place>& places,
                       std::string_view bytes) {
  std::uint64_t shift = 0, zip64_offset = 0;
  walk(zip, [&](const ZipPart& part, std::uint64_t, const Directory& directory) {
    if (const auto* it = std::get_if<Zip64EndPart>(&part)) zip64_offset = it->offset;
    const auto* end = std::get_if<EndPart>(&part);
    if (!end) return;
    const std::uint64_t stated = end->offset == kInZip64 ? zip64_offset : end->offset;
    const bool further = directory.count > 0 && directory.at > stated &&
                         bytes.substr(stated, kSignature) != kCentral;
    shift = further ? directory.at - stated : 0;
    const std::uint64_t first = directory.first_offset + shift;
    if (!std::ranges::binary_search(places, first, {}, &Place::at)) shift = 0;
  });
  return shift;
}

// Narrow counts are taken modulo their width: an archive of 65,536 entries says 0 (4.4.21).
template <class End>
Right right_of(const End& end, const Directory& directory, std::uint64_t shift) {
  const auto says = []<class Number>(Number said, std::uint64_t fact) {
    return said == static_cast<Number>(fact);
  };
  return {.here = says(end.here, directory.count),
          .total = says(end.total, directory.count),
          .size = says(end.size, directory.size),
          .offset = says(end.offset, directory.at - shift)};
}

template <class End>
void set_right(End& end, const Directory& directory, std::uint64_t shift) {
  const auto say = []<class Number>(Number& said, std::uint64_t fact) {
    said = static_cast<Number>(fact);
  };
  if (end.right.here) say(end.here, directory.count);
  if (end.right.total) say(end.total, directory.count);
  if (end.right.size) say(end.size, directory.size);
  if (end.right.offset) say(end.offset, directory.at - shift);
}

void learn(ZipLayout& zip, std::string_view bytes) {
  const std::vector<Place> places = places_of(zip);
  zip.shift = shift_of(zip, places, bytes);
  walk(zip, [&](ZipPart& part, std::uint64_t, const Directory& directory) {
    if (auto* central = std::get_if<CentralPart>(&part)) {
      const std::uint64_t at = offset_of(*central) + zip.shift;
      const auto it = std::ranges::lower_bound(places, at, {}, &Place::at);
      if (it != places.end() && it->at == at) central->local = it->label;
    } else if (auto* zip64 = std::get_if<Zip64EndPart>(&part)) {
      zip64->right = right_of(*zip64, directory, zip.shift);
    } else if (auto* locator = std::get_if<Zip64LocatorPart>(&part)) {
      locator->right = locator->offset == directory.zip64_at - zip.shift;
    } else if (auto* end = std::get_if<EndPart>(&part)) {
      end->right = right_of(*end, directory, zip.shift);
    }
  });
}

// Into the field, or where a zip64 extra field has the offset: behind the sizes it has (4.5.3).
void set_offset(CentralPart& central, std::uint64_t offset) {
  if (offset_of(central) == offset) return;
  if (central.offset != kInZip64) {
    central.offset = static_cast<std::uint32_t>(offset);
    return;
  }
  const std::size_t before =
      (central.size == kInZip64 ? 8 : 0) + (central.packed == kInZip64 ? 8 : 0);
  const std::string extra = central.extra;  // that the fields refer to
  for (const ExtraField& field : extra_fields(extra)) {
    if (field.id != kZip64Extra || field.bytes.size() < before + 8) continue;
    std::string written;
    append(written, offset);
    const auto at = static_cast<std::size_t>(field.bytes.data() - extra.data()) + before;
    central.extra.replace(at, written.size(), written);
  }
}

}  // namespace

std::size_t rendered_size(const ZipPart& part) { return std::visit(Measure{}, part); }

std::string render(const ZipPart& part) {
  std::string bytes;
  bytes.reserve(rendered_size(part));
  std::visit(Writer{bytes}, part);
  return bytes;
}

std::string render(const ZipLayout& zip) {
  std::size_t size = 0;
  for (const ZipPart& part : zip.parts) size += rendered_size(part);
  std::string bytes;
  bytes.reserve(size);
  for (const ZipPart& part : zip.parts) std::visit(Writer{bytes}, part);
  return bytes;
}

ZipLayout parse_layout(std::string_view bytes) {
  ZipLayout zip{.parts = Parser(bytes).parts()};
  learn(zip, bytes);
  return zip;
}

void repair(ZipLayout& zip) {
  std::vector<Place> places = places_of(zip);
  std::ranges::sort(places, {}, &Place::label);
  walk(zip, [&](ZipPart& part, std::uint64_t, const Directory& directory) {
    if (auto* central = std::get_if<CentralPart>(&part); central && central->local) {
      const auto it = std::ranges::lower_bound(places, *central->local, {}, &Place::label);
      if (it != places.end() && it->label == *central->local)
        set_offset(*central, it->at - zip.shift);
    } else if (auto* zip64 = std::get_if<Zip64EndPart>(&part)) {
      set_right(*zip64, directory, zip.shift);
    } else if (auto* locator = std::get_if<Zip64LocatorPart>(&part); locator && locator->right) {
      locator->offset = directory.zip64_at - zip.shift;
    } else if (auto* end = std::get_if<EndPart>(&part)) {
      set_right(*end, directory, zip.shift);
    }
  });
}

}  // namespace storefuzz
