// What libzip sees in a zip file: an ordinary program that opens it, lists names, reads keys.
//
// Names are listed not decoded, but libzip puts a space in the place of each NUL. Where an entry
// has a Unicode path (extra field 0x7075) that fits its name, libzip knows it by that path alone.
//
// A key is looked up with zip_name_locate: of equal names the first in the directory. libzip
// guesses that a name which is not UTF-8, or holds a control character, is in code page 437 and
// finds it only under the text that makes: an entry named by the byte 0x80 is found as "Ç", also
// before an entry named "Ç" in UTF-8. So a key that zip_name_locate does not find is also sought
// among the listed names of that kind, the first one again: "\x80" is answered too.
//
// Values are read to the end, where libzip compares size and CRC. Where the directory says that the
// compressed size is 0, libzip 1.7 gives no bytes and compares nothing: ["value", 0, 0], whatever
// size and CRC stand beside it.
//
//     Json reply = read_with_libzip("/tmp/a.zip", {"zarr.json"}, false);
//     assert(reply["keys"]["zarr.json"][0] == "value");
#pragma once

#include <string>
#include <vector>

#include "harness/case/store.h"

namespace storefuzz {

// The reply of the reader protocol. `checked`: opened with ZIP_CHECKCONS, libzip's stricter checks,
// which among others refuse an archive that holds a name twice or has bytes after its end. The type
// of an error is libzip's symbol, e.g. "ZIP_ER_CRC"; "TooLarge" also where only the directory says
// so. The archive is open only during the call. Throws std::bad_alloc.
Json read_with_libzip(const std::string& file, const std::vector<std::string>& keys, bool checked);

// "1.7.3": of the library that is loaded.
std::string libzip_version();

}  // namespace storefuzz
