// Where readers of one zip file differ, and which of them is alone with what it says.
//
// An answer is a value, a refusal, or a silence: nothing where a value is, or another value than is
// right. What is right: what the maker put there, where that is known; else what most libraries
// give. A pure function; it knows no reader by name but for which share a library.
//
//     for (const Difference& it : compare(panel.readers(), replies, question))
//       if (silent(it.direction)) report(it);
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/readers/panel.h"
#include "harness/zip/values.h"

namespace storefuzz {

// How a reader differs. In JSON and quirks by name.
enum class Direction {
  kRefuses,         // "refuses": others give a value
  kMisses,          // "misses": says there is nothing, and others give a value. Silence
  kOtherData,       // "other data": what stands elsewhere in the file. Silence
  kInventedData,    // "invented data": what stands nowhere in the file. Silence
  kReadsAlone,      // "reads alone": gives a value, and most others do not
  kListsOtherwise,  // "lists otherwise": other names than most list
  kListsTwice,      // "lists twice": a name more than once, and most others do not
  kHangs,           // "hangs": past the deadline
  kDies,            // "dies": by a signal, or for want of memory
};
std::string_view name_of(Direction direction);
bool silent(Direction direction);

struct Difference {
  std::string reader, version;
  Direction direction = Direction::kRefuses;
  std::string about;      // "key c/0", "array g", "listing", "archive"
  std::string says;       // "refused BadZipFile: …", "64 bytes, crc 0x1234abcd"
  std::string others;     // the same of those it is compared with
  std::size_t times = 1;  // keys and arrays that show it
};

// What readers were asked, and what is known beyond their answers.
struct Question {
  ReaderRequest request;
  std::set<ValueSum> honest;             // values_in(bytes)
  std::map<std::string, ValueSum> made;  // key → value, where the maker is known; or empty
  // Keys whose bytes in the file are encrypted: no reader has a password, so what one gives is the
  // cipher, which is other data, however many give it.
  std::set<std::string> encrypted = {};
  // The zip file is in order: what a reader refuses of its arrays, it cannot read of Zarr.
  bool sound = false;
};

// One difference for a reader and direction: the first one, and how often. In the order of readers.
std::vector<Difference> compare(const std::vector<ReaderInfo>& readers,
                                const std::vector<ReaderReply>& replies, const Question& question);

// Whose code reads: "libzip" of "libzip-checked", "zarr" of "zarr child".
std::string_view library_of(std::string_view reader);

// What became of a question, for tables: values, refusals and silences of a reader.
struct Tally {
  std::size_t values = 0, refusals = 0, silences = 0;
};
Tally tally(const ReaderReply& reply, const std::vector<Difference>& differences,
            std::string_view reader);

}  // namespace storefuzz
