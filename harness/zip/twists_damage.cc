// Damage that just happens, unfinished writes, and archives that are too much.
#include "harness/zip/twists_kinds.h"

namespace storefuzz::twists {
namespace {

// --- damage that just happens

void truncated(Bench& bench) {
  bench.after = std::string(
      bench.before.substr(0, bench.draw.of(std::max<std::size_t>(bench.before.size(), 1))));
}
void no_directory(Bench& bench) {
  const std::uint32_t which = bench.draw.of(3);
  if (which == 1) bench.settle();  // the end record keeps its values
  std::erase_if(bench.zip.parts, [&](const ZipPart& part) {
    return std::holds_alternative<CentralPart>(part) ||
           (which == 0 &&
            (std::holds_alternative<EndPart>(part) || std::holds_alternative<Zip64EndPart>(part) ||
             std::holds_alternative<Zip64LocatorPart>(part)));
  });
}
void trailing_bytes(Bench& bench) {
  const std::size_t size = bench.draw.from<std::size_t>({1, 4, 22, 1000, 65'600});
  bench.after = std::string(bench.before).append(size, bench.draw.from({'\0', '\n', 'P'}));
}
std::string prefix_bytes(Draw& draw) {
  const std::string_view texts[] = {std::string_view("#!/bin/sh\n"), std::string_view("PK\7\10", 4),
                                    std::string_view("\0", 1), std::string_view("PK00")};
  const std::string text(texts[draw.of(4)]);
  std::string bytes;
  for (std::uint32_t times = draw.from<std::uint32_t>({1, 50, 7000}); times > 0; --times)
    bytes += text;
  return bytes;
}
void prefix(Bench& bench) { bench.after = prefix_bytes(bench.draw).append(bench.before); }
void prefix_adjusted(Bench& bench) { bench.insert(0, GapPart{prefix_bytes(bench.draw)}); }

// Flips one bit of the bytes from `at` to `at + size`.
void flip(Bench& bench, std::uint64_t at, std::size_t size) {
  if (size == 0) return;
  const std::uint32_t bit = bench.draw.of(8 * size);
  std::string bytes(bench.before);
  char& c = bytes[static_cast<std::size_t>(at) + bit / 8];
  c = static_cast<char>(c ^ (1 << bit % 8));
  bench.after = std::move(bytes);
}
void flip_in_data(Bench& bench) {
  const std::size_t size = bench.local().data.size();
  flip(bench, bench.place_of(*bench.local_at() + 1) - size, size);
}
void flip_in_local(Bench& bench) {
  flip(bench, bench.place_of(*bench.local_at()),
       rendered_size(bench.local()) - bench.local().data.size());
}
void flip_in_central(Bench& bench) {
  flip(bench, bench.place_of(*bench.central_at()), rendered_size(bench.central()));
}
void flip_in_end(Bench& bench) {
  if (bench.end_at()) flip(bench, bench.place_of(*bench.end_at()), rendered_size(bench.end()));
}
void flip_anywhere(Bench& bench) { flip(bench, 0, bench.before.size()); }

std::uint32_t wrong_crc_of(std::uint32_t crc, Draw draw) {
  const std::uint32_t wrongs[] = {crc ^ 1, ~crc, 0, crc ^ 0x80000000};
  return wrongs[draw.of(4)];
}
void wrong_crc(LocalPart& local, CentralPart& central, Draw& draw) {
  both(local, central, [&](auto& it) { it.crc = wrong_crc_of(it.crc, draw); });
}
void wrong_local_crc(LocalPart& local, CentralPart&, Draw& draw) {
  local.crc = wrong_crc_of(local.crc, draw);
}
void wrong_central_crc(LocalPart&, CentralPart& central, Draw& draw) {
  central.crc = wrong_crc_of(central.crc, draw);
}
void unsupported_method(LocalPart& local, CentralPart& central, Draw& draw) {
  const std::uint16_t method =
      draw.from<std::uint16_t>({12, 14, 93, 99, 1, 6, 9, 20, 95, 98, 97, 0xffff});
  both(local, central, [&](auto& it) { it.method = method; });
}
void long_comment(EndPart& end, Draw& draw) {
  const std::size_t size = draw.from<std::size_t>({65'535, 65'534, 65'513, 65'514, 4096});
  set_comment(end, std::string(size, draw.coin() ? '\0' : 'c'));
}

void nested_archive(Bench& bench) {
  const bool replaces = bench.draw.coin() && bench.has_entry();
  if (!replaces) {
    NewEntry new_entry = bench.entry("nested.zip", "");
    new_entry.local.method = kStored;
    set_value(new_entry.local, new_entry.central, bench.before);
    return bench.append_entry(std::move(new_entry));
  }
  bench.put_value(bench.before, kStored);
}

void tail_of_nuls(Bench& bench) {
  const std::size_t size = bench.before.size(), least = std::min(size, kEndSize);
  const std::size_t count = least + bench.draw.of(size - least + 1);
  bench.after = std::string(bench.before.substr(0, size - count)).append(count, '\0');
}
// The sizes are written into a header once its data are; here they never were.
void last_header_unfinished(Bench& bench) {
  const bool later = bench.draw.coin(), half = bench.draw.coin();
  const auto locals = bench.all<LocalPart>();
  if (locals.empty()) return;
  bench.erase(locals.back() + 1, bench.zip.parts.size());
  LocalPart& last = bench.part<LocalPart>(locals.back());
  last.crc = last.packed = last.size = 0;
  if (later) last.flags |= kLater;
  if (half) last.data.resize(last.data.size() / 2);
}
void comment_length_off(EndPart& end, Draw& draw) {
  end.comment_length += draw.from<std::uint16_t>({1, 0xffff, 22, 1000, 0x8000});
}
void half_directory(Bench& bench) {
  const auto at = static_cast<std::size_t>(bench.place_of(bench.directory_at()));
  const auto end = static_cast<std::size_t>(bench.place_of(bench.ends_at()));
  const std::size_t size = end - at;
  if (size == 0) return;
  bench.after = std::string(bench.before.substr(0, at + (bench.draw.amount + size / 2) % size));
}
void no_end_record(Bench& bench) {
  bench.after = std::string(
      bench.before.substr(0, static_cast<std::size_t>(bench.place_of(bench.ends_at()))));
}

void many_entries(Bench& bench) { bench.append_many(20'000); }
void bomb(Bench& bench) {
  constexpr std::size_t kBomb = 8 << 20;
  static const std::string packed = deflated(std::string(kBomb, '\0'));
  static const std::uint32_t crc = sum_of(std::string(kBomb, '\0')).crc;
  const bool replaces = bench.draw.coin() && bench.has_entry();
  const auto fill = [&](LocalPart& local, CentralPart& central) {
    set_value(local, central, "");
    local.data = packed;
    both(local, central, [&](auto& header) {
      header.method = kDeflated;
      header.crc = crc;
      header.packed = static_cast<std::uint32_t>(packed.size());
      header.size = kBomb;
    });
  };
  if (replaces) {
    bench.put_value("", kDeflated);
    return fill(bench.local(), bench.central());
  }
  NewEntry new_entry = bench.entry("bomb", "");
  fill(new_entry.local, new_entry.central);
  bench.append_entry(std::move(new_entry));
}

// --- the rows

constexpr Row kDamage[] = {
    {{"truncated", "truncated", "4.3.1", "The file ends too early."}, truncated},
    {{"no directory", "no directory", "4.3.12", "The directory is not there."}, no_directory},
    {{"no end record", "no directory", "4.3.16", "The file ends with the directory."},
     no_end_record},
    {{"trailing bytes", "trailing bytes", "4.3.16", "Bytes follow the archive."}, trailing_bytes},
    {{"prefix", "prefix", "4.1.9", "Bytes were put before the archive; offsets are as before."},
     prefix},
    {{"prefix, adjusted", "prefix", "4.1.9", "Bytes stand before the first entry."},
     prefix_adjusted},
    {{"flipped bit in data", "flipped bits", "4.4.7", "One bit of a value is wrong."},
     with_entry<flip_in_data>},
    {{"flipped bit in local header", "flipped bits", "4.3.7",
      "One bit of a local header is wrong."},
     with_entry<flip_in_local>},
    {{"flipped bit in central header", "flipped bits", "4.3.12",
      "One bit of a central header is wrong."},
     with_entry<flip_in_central>},
    {{"flipped bit in end record", "flipped bits", "4.3.16", "One bit of the end record is wrong."},
     flip_in_end},
    {{"flipped bit", "flipped bits", "4.3.6", "One bit of the file is wrong."}, flip_anywhere},
    {{"wrong crc", "wrong crc", "4.4.7", "Both headers state a CRC that the value has not."},
     of_entry<wrong_crc>},
    {{"wrong local crc", "wrong crc", "4.4.7", "The local header states another CRC."},
     of_entry<wrong_local_crc>},
    {{"wrong central crc", "wrong crc", "4.4.7", "The directory states another CRC."},
     of_entry<wrong_central_crc>},
    {{"unsupported method", "unsupported method", "4.4.5", "Both headers name a rare method."},
     of_entry<unsupported_method>},
    {{"long comment", "long comment", "4.4.12", "The comment is as long as it can be, or nearly."},
     of_end<long_comment>},
};

constexpr Row kMore[] = {
    {{"nested archive", "nested archive", "4.3.8", "A value is the archive itself."},
     nested_archive},
    {{"tail of nuls", "unfinished write", "4.3.1", "From some byte on there are only NULs."},
     tail_of_nuls},
    {{"last header unfinished", "unfinished write", "4.3.7",
      "The file ends with a value whose header has no sizes yet."},
     last_header_unfinished},
    {{"comment length off", "truncated", "4.4.12", "The comment is not as long as it says."},
     of_end<comment_length_off>},
    {{"half a directory", "truncated", "4.3.12", "The file ends inside the directory."},
     half_directory},
    {{"bomb", "bomb", "4.4.9", "A value of 8 MiB of NULs lies in a few kilobytes.", true}, bomb},
    {{"many entries", "many entries", "4.4.22", "20,000 empty entries more.", true}, many_entries},
};

}  // namespace

std::span<const Row> damage_rows() { return kDamage; }
std::span<const Row> more_damage_rows() { return kMore; }

}  // namespace storefuzz::twists
