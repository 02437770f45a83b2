// What libarchive sees in a zip file: a program that extracts it, entry after entry.
//
// Streaming believes the local headers, in their order, and reads no directory; it sees the file
// through a read callback that can neither seek nor skip. Seeking takes from the directory which
// entries there are and visits them by their place in the file, of those at one place only one; the
// names are those of the local headers all the same.
//
// Data is read of every entry, asked for or not, because where libarchive looks for the next one
// depends on it. Of equal names the last wins, as in extraction. An entry whose data fails, be it
// with ARCHIVE_WARN (as a wrong CRC does), is refused; a warning about its header alone is not.
// What libarchive takes for a folder, a link or a device has no bytes: refused "NotAFile".
//
// ARCHIVE_FATAL ends the iteration: "listed" is what was seen so far, keys seen are answered as
// they were, and keys not seen are refused with that error: they may stand behind the fatal entry.
// The same holds where a bound ends the iteration: "TooLarge", "TooMany". Fatal at the first header
// is an archive not opened.
//
// Names are as libarchive gives them in the locale C.UTF-8: ended by a NUL, a folder's with a slash
// at its end, "\" as "/" where the archive is from MS-DOS, and where marked as UTF-8 in normal form
// C. The locale's LC_CTYPE is set in this process by the first call.
//
//     Json reply = read_with_libarchive("/tmp/a.zip", {"zarr.json"}, true);
//     assert(reply["keys"]["zarr.json"][0] == "value");
#pragma once

#include <string>
#include <vector>

#include "harness/case/store.h"

namespace storefuzz {

// The reply of the reader protocol. The type of an error is libarchive's symbol, e.g.
// "ARCHIVE_WARN". The file is open only during the call. Throws std::bad_alloc.
Json read_with_libarchive(const std::string& file, const std::vector<std::string>& keys,
                          bool seeking);

// "3.6.2": of the library that is loaded.
std::string libarchive_version();

}  // namespace storefuzz
