// See structure.h.
#include "harness/zip/structure.h"

#include <algorithm>

#include "harness/zip/records.h"

namespace storefuzz {
namespace {

bool stands(std::string_view bytes, std::uint64_t at, std::string_view signature,
            std::size_t size) {
  return at <= bytes.size() && size <= bytes.size() - at &&
         bytes.substr(at, signature.size()) == signature;
}

EndRecord end_at(std::string_view bytes, std::size_t at) {
  EndRecord record{.at = at,
                   .disk = n16(bytes, at + 4),
                   .directory_disk = n16(bytes, at + 6),
                   .here = n16(bytes, at + 8),
                   .total = n16(bytes, at + 10),
                   .comment_length = n16(bytes, at + 20),
                   .size = n32(bytes, at + 12),
                   .offset = n32(bytes, at + 16)};
  record.end = at + kEndSize + record.comment_length;
  return record;
}

std::optional<Zip64End> zip64_at(std::string_view bytes, std::uint64_t at) {
  if (!stands(bytes, at, kZip64End, kZip64EndSize)) return std::nullopt;
  Zip64End record{.at = at,
                  .stated_size = n64(bytes, at + 4),
                  .disk = n32(bytes, at + 16),
                  .directory_disk = n32(bytes, at + 20),
                  .here = n64(bytes, at + 24),
                  .total = n64(bytes, at + 32),
                  .size = n64(bytes, at + 40),
                  .offset = n64(bytes, at + 48)};
  record.end = at + 12 + std::min<std::uint64_t>(record.stated_size, bytes.size());
  return record;
}

// The extra fields (4.5), as far as they can be told apart; answers whether that is to the end.
bool each_field(std::string_view extra, auto&& use) {
  std::size_t at = 0;
  while (at + 4 <= extra.size()) {
    const std::size_t size = n16(extra, at + 2);
    if (size > extra.size() - at - 4) break;
    use(ExtraField{.id = n16(extra, at), .bytes = extra.substr(at + 4, size)});
    at += 4 + size;
  }
  return at == extra.size();
}

// 4.5.3: of the fields that say 0xffffffff, in this order.
Sizes look_through(std::uint32_t packed, std::uint32_t size, std::uint32_t offset,
                   std::string_view extra, bool local) {
  Sizes sizes{.packed = packed, .size = size, .offset = offset};
  each_field(extra, [&](const ExtraField& field) {
    if (field.id != kZip64Extra) return;
    ++sizes.extras;
    sizes.wide = true;
    std::size_t at = 0;
    const auto take = [&](std::uint32_t said, std::uint64_t& into) {
      if (said != kInZip64) return;
      if (at + 8 > field.bytes.size()) {
        sizes.odd = true;
        return;
      }
      into = n64(field.bytes, at);
      at += 8;
    };
    take(size, sizes.size);
    take(packed, sizes.packed);
    if (!local) take(offset, sizes.offset);
    const bool disk = !local && field.bytes.size() == at + 4;
    // A local header with one of the two sizes in it must hold both; a writer that streams leaves
    // room and says zero.
    if (!disk && at != field.bytes.size() && !(local && field.bytes.size() == 16)) sizes.odd = true;
    if (local && field.bytes.size() == 16 && at == 0 && n64(field.bytes, 0) != size)
      sizes.odd = true;
  });
  if (sizes.extras == 0 && (packed == kInZip64 || size == kInZip64)) sizes.odd = true;
  if (sizes.extras > 1) sizes.odd = true;
  return sizes;
}

void read_ends(ZipStructure& zip) {
  for (std::size_t at = 0; (at = zip.bytes.find(kEnd, at)) != zip.bytes.npos; ++at)
    if (stands(zip.bytes, at, kEnd, kEndSize)) zip.ends.push_back(end_at(zip.bytes, at));
  if (zip.ends.empty()) return;
  const auto reaches = [&](const EndRecord& it) { return it.end == zip.bytes.size(); };
  // The first that reaches the end holds the others in its comment; but most readers seek from the
  // end and take the last one.
  const auto last = std::find_if(zip.ends.rbegin(), zip.ends.rend(), reaches);
  zip.end = last == zip.ends.rend() ? zip.ends.back() : *last;
  if (zip.end->at < kLocatorSize || !stands(zip.bytes, zip.end->at - kLocatorSize, kLocator, 20))
    return;
  const std::size_t at = zip.end->at - kLocatorSize;
  zip.locator = Zip64Locator{.at = at,
                             .disk = n32(zip.bytes, at + 4),
                             .disks = n32(zip.bytes, at + 16),
                             .offset = n64(zip.bytes, at + 8)};
  zip.zip64 = zip64_at(zip.bytes, zip.locator->offset);
  if (!zip.zip64 && at >= kZip64EndSize) zip.zip64 = zip64_at(zip.bytes, at - kZip64EndSize);
}

void read_directory(ZipStructure& zip) {
  const EndRecord& end = *zip.end;
  std::uint64_t offset = end.offset, size = end.size;
  const std::size_t behind = zip.zip64 ? zip.zip64->at : end.at;
  if (zip.zip64 && end.offset == kInZip64) offset = zip.zip64->offset;
  if (zip.zip64 && end.size == kInZip64) size = zip.zip64->size;
  // Where bytes were put before an archive, its directory is where its size says (cf. 4.1.9).
  const std::size_t adjacent = size <= behind ? behind - size : 0;
  if (!central_at(zip.bytes, offset) && adjacent > offset && central_at(zip.bytes, adjacent))
    zip.shift = adjacent - offset;
  zip.directory_at = zip.directory_end = std::min<std::uint64_t>(offset + zip.shift, behind);
  while (const auto header = central_at(zip.bytes, zip.directory_end)) {
    if (header->at >= behind) break;
    zip.directory_end = header->end;
    if (++zip.entries <= kMostEntriesRead) zip.directory.push_back(*header);
  }
  for (const CentralHeader& entry : zip.directory)
    zip.locals.push_back(local_at(zip.bytes, sizes_of(entry).offset + zip.shift));
}

// Where a signature stands next, for places that only grow: each byte is looked at once.
class Search {
 public:
  Search(std::string_view bytes, std::string_view signature)
      : bytes_(bytes), signature_(signature) {}

  std::size_t from(std::size_t at) {
    if (!known_ || (next_ != bytes_.npos && next_ < at)) next_ = bytes_.find(signature_, at);
    known_ = true;
    return next_;
  }

 private:
  std::string_view bytes_, signature_;
  std::size_t next_ = 0;
  bool known_ = false;
};

// Entry after entry, as a stream is read: by the sizes of local headers, and where those come later
// (4.4.4, bit 3) by those of the directory, or up to the next signature.
void scan(ZipStructure& zip) {
  std::size_t at = zip.shift;
  Search locals(zip.bytes, kLocal), centrals(zip.bytes, kCentral);
  const auto known = [&](std::size_t place) -> const CentralHeader* {
    for (std::size_t i = 0; i < zip.directory.size(); ++i)
      if (zip.locals[i] && zip.locals[i]->at == place) return &zip.directory[i];
    return nullptr;
  };
  while (zip.scanned.size() < kMostEntriesRead) {
    const auto header = local_at(zip.bytes, at);
    if (!header) break;
    zip.scanned.push_back(*header);
    const CentralHeader* entry = zip.directory.size() < 1024 ? known(at) : nullptr;
    const bool later = (header->flags & 8) != 0;
    std::uint64_t packed = sizes_of(*header).packed;
    if (later && packed == 0 && entry) packed = sizes_of(*entry).packed;
    std::size_t end = header->data;
    if (packed > zip.bytes.size() - end) break;
    end += packed;
    if (later) {
      const std::size_t next = std::min(locals.from(end), centrals.from(end));
      end = next == zip.bytes.npos ? zip.bytes.size() : next;
    }
    at = end;
  }
  zip.scanned_end = at;
}

}  // namespace

std::vector<ExtraField> extra_fields(std::string_view extra, bool* whole) {
  std::vector<ExtraField> fields;
  const bool to_the_end = each_field(extra, [&](const ExtraField& it) { fields.push_back(it); });
  if (whole) *whole = to_the_end;
  return fields;
}

Sizes sizes_of(const LocalHeader& header) {
  return look_through(header.packed, header.size, 0, header.extra, true);
}

Sizes sizes_of(const CentralHeader& header) {
  return look_through(header.packed, header.size, header.offset, header.extra, false);
}

std::optional<LocalHeader> local_at(std::string_view bytes, std::uint64_t at) {
  if (!stands(bytes, at, kLocal, kLocalSize)) return std::nullopt;
  const std::size_t name = n16(bytes, at + 26), extra = n16(bytes, at + 28);
  if (name + extra > bytes.size() - at - kLocalSize) return std::nullopt;
  return LocalHeader{.at = at,
                     .data = at + kLocalSize + name + extra,
                     .version = n16(bytes, at + 4),
                     .flags = n16(bytes, at + 6),
                     .method = n16(bytes, at + 8),
                     .crc = n32(bytes, at + 14),
                     .packed = n32(bytes, at + 18),
                     .size = n32(bytes, at + 22),
                     .name = bytes.substr(at + kLocalSize, name),
                     .extra = bytes.substr(at + kLocalSize + name, extra)};
}

std::optional<CentralHeader> central_at(std::string_view bytes, std::uint64_t at) {
  if (!stands(bytes, at, kCentral, kCentralSize)) return std::nullopt;
  const std::size_t name = n16(bytes, at + 28), extra = n16(bytes, at + 30),
                    comment = n16(bytes, at + 32);
  if (name + extra + comment > bytes.size() - at - kCentralSize) return std::nullopt;
  const std::size_t text = at + kCentralSize;
  return CentralHeader{.at = at,
                       .end = text + name + extra + comment,
                       .made_by = n16(bytes, at + 4),
                       .version = n16(bytes, at + 6),
                       .flags = n16(bytes, at + 8),
                       .method = n16(bytes, at + 10),
                       .disk = n16(bytes, at + 34),
                       .crc = n32(bytes, at + 16),
                       .packed = n32(bytes, at + 20),
                       .size = n32(bytes, at + 24),
                       .attributes = n32(bytes, at + 38),
                       .offset = n32(bytes, at + 42),
                       .name = bytes.substr(text, name),
                       .extra = bytes.substr(text + name, extra),
                       .comment = bytes.substr(text + name + extra, comment)};
}

ZipStructure read_structure(std::string_view bytes) {
  ZipStructure zip{.bytes = bytes};
  read_ends(zip);
  if (zip.end) read_directory(zip);
  scan(zip);
  return zip;
}

}  // namespace storefuzz
