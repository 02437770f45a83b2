// A1 to A5: the two headers of an entry, its descriptor and its extra fields contradict each other.
#include "harness/zip/twists_kinds.h"

namespace storefuzz::twists {
namespace {

// --- A1: the method (4.4.5)

void other_method(auto& header, Draw& draw) {
  const std::uint16_t swapped = header.method == kStored ? kDeflated : kStored;
  const std::uint16_t methods[] = {swapped, 9, 12, 93};
  header.method = draw.from(methods);
}
void central_method(LocalPart&, CentralPart& central, Draw& draw) { other_method(central, draw); }
void local_method(LocalPart& local, CentralPart&, Draw& draw) { other_method(local, draw); }

// A value packed and as it is, each with sizes and CRC that fit; each header has one of the two.
void two_readings(Bench& bench) {
  const std::string value = bench.value(), packed = deflated(value);
  bench.put_value(packed, kStored);
  one(bench.draw.coin(), bench.local(), bench.central(), [&](auto& header) {
    header.method = kDeflated;
    header.crc = sum_of(value).crc;
    header.size = static_cast<std::uint32_t>(value.size());
  });
}

// --- A2: the sizes (4.4.8, 4.4.9) and the descriptor (4.3.9)

void zero_sizes(auto& header, Draw& draw) {
  const std::uint32_t which = draw.of(3);
  if (which != 1) header.packed = 0;
  if (which != 2) header.size = 0;
}
void central_sizes_zero(LocalPart&, CentralPart& central, Draw& draw) { zero_sizes(central, draw); }
void local_sizes_zero(LocalPart& local, CentralPart&, Draw& draw) { zero_sizes(local, draw); }

void wrong_sizes(auto& header, Draw& draw) {
  const std::uint32_t which = draw.of(3);
  const std::uint32_t by = draw.from<std::uint32_t>({1, 0xffffffff, 16, 0xfffffff0, 0x7fffffff});
  if (which != 1) header.size += by;
  if (which != 2) header.packed += by;
}
void central_sizes_off(LocalPart&, CentralPart& central, Draw& draw) { wrong_sizes(central, draw); }
void local_sizes_off(LocalPart& local, CentralPart&, Draw& draw) { wrong_sizes(local, draw); }

// Stored, and one header tells of a prefix only, with the CRC of that prefix.
void sizes_of_prefix(Bench& bench) {
  const std::string value = bench.value();
  bench.put_value(value, kStored);
  const bool the_local = bench.draw.coin();
  const std::size_t kept = value.empty()      ? 0
                           : bench.draw.of(2) ? value.size() - 1
                                              : value.size() / 2;
  one(the_local, bench.local(), bench.central(), [&](auto& header) {
    header.packed = header.size = static_cast<std::uint32_t>(kept);
    header.crc = sum_of(std::string_view(value).substr(0, kept)).crc;
  });
}

// The sizes and the CRC go from the local header behind the data. Answers the index of the
// descriptor.
std::size_t move_to_descriptor(Bench& bench, bool wide, bool with_signature) {
  bench.put_value(bench.value(), bench.local().method == kDeflated ? kDeflated : kStored);
  const std::size_t local = *bench.local_at();
  LocalPart& header = bench.local();
  const DescriptorPart descriptor{.with_signature = with_signature,
                                  .wide = wide,
                                  .crc = header.crc,
                                  .packed = header.packed,
                                  .size = header.size};
  header.crc = header.packed = header.size = 0;
  both(header, bench.central(), [](auto& it) { it.flags |= kLater; });
  bench.insert(local + 1, descriptor);
  return local + 1;
}

void wide_descriptor(Bench& bench) { move_to_descriptor(bench, true, !bench.draw.coin()); }

void wrong_descriptor(Bench& bench) {
  const std::uint32_t which = bench.draw.of(5);
  const bool wide = bench.draw.coin(), with_signature = !bench.draw.coin();
  auto& part = bench.part<DescriptorPart>(move_to_descriptor(bench, wide, with_signature));
  if (which == 0) ++part.size;
  if (which == 1) part.size = part.packed = 0;
  if (which == 2) part.crc ^= 1;
  if (which == 3) part.packed += 16;
  if (which == 4) --part.packed, --part.size;
}

// Bit 3 and no descriptor.
void absent_descriptor(LocalPart& local, CentralPart& central, Draw& draw) {
  local.flags |= kLater;
  if (draw.coin()) central.flags |= kLater;
  if (!draw.coin()) local.crc = local.packed = local.size = 0;
}

// A descriptor and no bit 3.
void unannounced_descriptor(Bench& bench) {
  const std::uint32_t side = bench.draw.of(3);
  move_to_descriptor(bench, bench.draw.coin(), true);
  const auto clear = [](auto& it) { it.flags &= static_cast<std::uint16_t>(~kLater); };
  if (side != 1) clear(bench.local());
  if (side != 2) clear(bench.central());
}

// A scan that stops at the first descriptor stops inside the value.
void descriptor_in_data(Bench& bench) {
  const std::string value = bench.value(), prefix = value.substr(0, value.size() / 2);
  const auto size = static_cast<std::uint32_t>(prefix.size());
  const DescriptorPart fake{
      .wide = bench.draw.coin(), .crc = sum_of(prefix).crc, .packed = size, .size = size};
  bench.put_value(prefix + render(fake) + value.substr(prefix.size()), kStored);
  move_to_descriptor(bench, fake.wide, true);
}

// Zip64 extra fields (4.5.3): first the size, then the packed size.
std::string zip64_numbers(std::uint64_t size, std::uint64_t packed) {
  std::string bytes;
  append(bytes, size), append(bytes, packed);
  return bytes;
}
void into_zip64(auto& header, std::string_view bytes) {
  set_extra(header, without_zip64(header.extra));
  header.packed = header.size = kInZip64;
  add_extra(header, kZip64Extra, bytes);
}
void zip64_zero(LocalPart& local, CentralPart& central, Draw& draw) {
  one(draw.coin(), local, central, [](auto& it) { into_zip64(it, zip64_numbers(0, 0)); });
}
void zip64_short(LocalPart& local, CentralPart& central, Draw& draw) {
  one(draw.coin(), local, central, [&](auto& header) {
    into_zip64(
        header,
        zip64_numbers(header.size, header.packed).substr(0, draw.from<std::size_t>({8, 4, 0, 12})));
  });
}
void zip64_twice(LocalPart& local, CentralPart& central, Draw& draw) {
  one(draw.coin(), local, central, [&](auto& header) {
    const std::string right = zip64_numbers(header.size, header.packed);
    const std::string wrong = zip64_numbers(header.size + 1, header.packed / 2);
    const bool right_first = !draw.coin();
    into_zip64(header, right_first ? right : wrong);
    add_extra(header, kZip64Extra, right_first ? wrong : right);
  });
}
void zip64_absent(LocalPart& local, CentralPart& central, Draw& draw) {
  one(draw.coin(), local, central, [&](auto& header) {
    const std::uint32_t which = draw.of(3);
    if (which != 1) header.size = kInZip64;
    if (which != 2) header.packed = kInZip64;
  });
}
void zip64_unasked(LocalPart& local, CentralPart& central, Draw& draw) {
  one(draw.coin(), local, central,
      [](auto& it) { add_extra(it, kZip64Extra, zip64_numbers(it.size / 2, it.packed / 2)); });
}

// --- A3: the name (4.4.17)

void local_name_same_length(LocalPart& local, CentralPart&, Draw& draw) {
  if (local.name.empty()) return set_name(local, "x");
  const std::size_t size = local.name.size();
  const std::size_t places[] = {size - 1, 0, size / 2};
  char& c = local.name[draw.from(places)];
  c = c == 'x' ? 'y' : 'x';
}
void local_name_other_length(LocalPart& local, CentralPart&, Draw& draw) {
  const std::string name = local.name;
  const std::string names[] = {name + "x", name.substr(0, name.size() / 2), "", name + "/x"};
  set_name(local, names[draw.of(4)]);
}
void local_name_of_another(Bench& bench) {
  const std::string name = bench.part<CentralPart>(*bench.central_at(1)).name;
  set_name(bench.local(), name == bench.local().name ? name + "2" : name);
}
void case_of_headers(Bench& bench) {
  set_name(bench.local(), in_other_case(bench.local().name, !bench.draw.coin()));
}
void swapped_names(Bench& bench) {
  CentralPart& one = bench.central();
  CentralPart& other = bench.part<CentralPart>(*bench.central_at(1));
  std::swap(one.name, other.name);
  std::swap(one.name_length, other.name_length);
}

// The Unicode path extra field (4.6.9): a version, the CRC of the name in the header, a name.
std::string unicode_path(std::string_view name, std::string_view says, char version = 1,
                         std::uint32_t crc_off = 0) {
  std::string bytes(1, version);
  append(bytes, sum_of(name).crc ^ crc_off);
  return bytes.append(says);
}
// In the central header, the local one, or both.
void add_path(LocalPart& local, CentralPart& central, Draw& draw, auto&& bytes_for) {
  const std::uint32_t sides = draw.of(3);
  if (sides != 1) add_extra(central, kUnicodePath, bytes_for(central.name));
  if (sides != 0) add_extra(local, kUnicodePath, bytes_for(local.name));
}
std::string other_name(const std::string& name, Draw draw) {
  const std::string names[] = {name + "x", "other", "größe", "../" + name, ""};
  return names[draw.of(5)];
}
void path_of_another(LocalPart& local, CentralPart& central, Draw& draw) {
  add_path(local, central, draw,
           [&](const std::string& name) { return unicode_path(name, other_name(name, draw)); });
}
void path_wrong_version(LocalPart& local, CentralPart& central, Draw& draw) {
  add_path(local, central, draw, [&](const std::string& name) {
    return unicode_path(name, name + "x", draw.amount % 2 ? 0 : 2);
  });
}
void path_wrong_crc(LocalPart& local, CentralPart& central, Draw& draw) {
  add_path(local, central, draw,
           [](const std::string& name) { return unicode_path(name, name + "x", 1, 1); });
}
void path_twice(LocalPart& local, CentralPart& central, Draw& draw) {
  Draw again = draw;
  add_path(local, central, draw,
           [](const std::string& name) { return unicode_path(name, name + "x"); });
  add_path(local, central, again,
           [](const std::string& name) { return unicode_path(name, name + "y"); });
}

// --- A4: file or folder (4.4.15, 4.4.17)

void name_sides(LocalPart& local, CentralPart& central, std::uint32_t sides,
                const std::string& ending) {
  if (sides != 1) set_name(central, central.name + ending);
  if (sides != 2) set_name(local, local.name + ending);
}
void slash_with_content(LocalPart& local, CentralPart& central, Draw& draw) {
  name_sides(local, central, draw.of(3), "/");
}
void backslash_with_content(LocalPart& local, CentralPart& central, Draw& draw) {
  const std::uint32_t sides = draw.of(3);
  set_host(central, draw.from({kDos, kUnix, kNtfs}));
  name_sides(local, central, sides, "\\");
}
void folder_attribute(LocalPart&, CentralPart& central, Draw& draw) {
  const std::uint32_t which = draw.of(2);
  set_host(central, draw.from({kUnix, kDos, kNtfs, kMac}));
  central.attributes = which == 0 ? kUnixFolder | kDosFolder : kDosFolder;
}
void unix_folder_mode(LocalPart&, CentralPart& central, Draw& draw) {
  set_host(central, draw.from({kUnix, kDos}));
  central.attributes = kUnixFolder;
}
void link_attribute(LocalPart&, CentralPart& central, Draw& draw) {
  set_host(central, draw.from({kUnix, kDos}));
  central.attributes = kUnixLink;
}
void folder_beside_file(Bench& bench) {
  const bool first = bench.draw.coin(), marked = !bench.draw.coin();
  NewEntry new_entry = bench.entry(bench.central().name + "/", "");
  if (marked) new_entry.central.attributes = kUnixFolder | kDosFolder;
  bench.beside(std::move(new_entry), first, first);
}

// --- A5: encryption (4.4.4)

std::uint16_t encryption(Draw& draw) {
  return draw.from<std::uint16_t>({kEncrypted, kEncrypted | 1 << 6, 1 << 13});
}
void central_encrypted(LocalPart&, CentralPart& central, Draw& draw) {
  central.flags ^= encryption(draw);
}
void local_encrypted(LocalPart& local, CentralPart&, Draw& draw) {
  local.flags ^= encryption(draw);
}

// --- the rows

constexpr Row kRows[] = {
    {{"central method differs", "A1", "4.4.5", "The directory names another method."},
     of_entry<central_method>},
    {{"local method differs", "A1", "4.4.5", "The local header names another method."},
     of_entry<local_method>},
    {{"two readings by method", "A1", "4.4.5",
      "One header says stored, the other deflated, each with sizes and CRC that fit."},
     with_entry<two_readings>},

    {{"central sizes zero", "A2", "4.4.8", "Sizes in the directory are zero."},
     of_entry<central_sizes_zero>},
    {{"local sizes zero", "A2", "4.4.8", "Sizes in the local header are zero, without bit 3."},
     of_entry<local_sizes_zero>},
    {{"central sizes off", "A2", "4.4.8", "Sizes in the directory are off."},
     of_entry<central_sizes_off>},
    {{"local sizes off", "A2", "4.4.8", "Sizes in the local header are off."},
     of_entry<local_sizes_off>},
    {{"sizes of a prefix", "A2", "4.4.9",
      "One header tells of a prefix of the value, with its CRC."},
     with_entry<sizes_of_prefix>},
    {{"wide descriptor", "A2", "4.3.9.2", "A data descriptor has 8-byte sizes, without zip64."},
     with_entry<wide_descriptor>},
    {{"wrong descriptor", "A2", "4.3.9.1", "A data descriptor says other sizes or another CRC."},
     with_entry<wrong_descriptor>},
    {{"absent descriptor", "A2", "4.4.4", "Bit 3 is set, and there is no data descriptor."},
     of_entry<absent_descriptor>},
    {{"unannounced descriptor", "A2", "4.4.4",
      "A data descriptor is there, and bit 3 is not set in one header or both."},
     with_entry<unannounced_descriptor>},
    {{"descriptor inside data", "A2", "4.3.9.3",
      "The stored value holds what looks like the data descriptor of its first half."},
     with_entry<descriptor_in_data>},
    {{"zip64 sizes zero", "A2", "4.5.3", "A zip64 extra field says zero."}, of_entry<zip64_zero>},
    {{"zip64 sizes short", "A2", "4.5.3", "A zip64 extra field is too short."},
     of_entry<zip64_short>},
    {{"zip64 sizes twice", "A2", "4.5.3", "Two zip64 extra fields say different sizes."},
     of_entry<zip64_twice>},
    {{"zip64 sizes absent", "A2", "4.5.3",
      "Sizes are said to be in a zip64 field that is not there."},
     of_entry<zip64_absent>},
    {{"zip64 sizes unasked", "A2", "4.5.3",
      "A zip64 extra field says sizes that no field asks for."},
     of_entry<zip64_unasked>},

    {{"local name differs", "A3", "4.4.17",
      "The local header has another name of the same length."},
     of_entry<local_name_same_length>},
    {{"local name of other length", "A3", "4.4.10",
      "The name in the local header is longer or shorter."},
     of_entry<local_name_other_length>},
    {{"local name of another entry", "A3", "4.4.17",
      "The local header has the name of another entry."},
     with_entry<local_name_of_another>},
    {{"names swapped", "A3", "4.4.17", "Two entries of the directory have swapped their names."},
     with_entry<swapped_names>},
    {{"case differs between headers", "A3", "4.4.17",
      "The name in the local header is in another case."},
     with_entry<case_of_headers>},
    {{"unicode path differs", "A3", "4.6.9", "A Unicode path extra field says another name."},
     of_entry<path_of_another>},
    {{"unicode path of other version", "A3", "4.6.9",
      "A Unicode path extra field of an unknown version says another name."},
     of_entry<path_wrong_version>},
    {{"unicode path of wrong crc", "A3", "4.6.9",
      "A Unicode path extra field says another name, and its CRC is not that of the name."},
     of_entry<path_wrong_crc>},
    {{"unicode path twice", "A3", "4.6.9", "Two Unicode path extra fields say different names."},
     of_entry<path_twice>},

    {{"slash and content", "A4", "4.3.8", "A name ends with a slash, and the entry has content."},
     of_entry<slash_with_content>},
    {{"backslash and content", "A4", "4.4.17", "A name ends with a backslash."},
     of_entry<backslash_with_content>},
    {{"folder attribute", "A4", "4.4.15", "An entry with content has the attributes of a folder."},
     of_entry<folder_attribute>},
    {{"unix folder mode", "A4", "4.4.15", "An entry with content has the Unix mode of a folder."},
     of_entry<unix_folder_mode>},
    {{"link attribute", "A4", "4.4.15", "An entry has the Unix mode of a symbolic link."},
     of_entry<link_attribute>},
    {{"folder beside file", "A4", "4.4.17", "A folder has the name of a file."},
     with_entry<folder_beside_file>},

    {{"central encrypted", "A5", "4.4.4", "Only the directory says that an entry is encrypted."},
     of_entry<central_encrypted>},
    {{"local encrypted", "A5", "4.4.4", "Only the local header says that an entry is encrypted."},
     of_entry<local_encrypted>},
};

}  // namespace

void descriptor(Bench& bench) { move_to_descriptor(bench, false, !bench.draw.coin()); }

void zip64_sizes(LocalPart& local, CentralPart& central, Draw& draw) {
  const std::uint32_t sides = draw.of(3);
  const auto move = [](auto& header) {
    into_zip64(header, zip64_numbers(header.size, header.packed));
    header.version = 45;  // 4.4.3.2
  };
  if (sides != 1) move(local);
  if (sides != 2) move(central);
}

std::span<const Row> header_rows() { return kRows; }

}  // namespace storefuzz::twists
