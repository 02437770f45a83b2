// A case's folder as independent eyes see it: libzip and the file system, never the subject.
//
//     const OnDisk seen = look_at(folder / "z.zip", Medium::kZip);
//     if (seen.state == OnDisk::State::kUnreadable) …
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/wire/orders.h"

namespace storefuzz::program {

// Writes what lies at a place before the program begins: an archive, or a tree of files. No entries
// and no twists: nothing. bad_input: keys that cannot be files beside each other.
Result<void> put(const std::filesystem::path& path, Medium medium, const Place& place);

// What lies at a place. An archive that libzip cannot read whole is unreadable; of a name that an
// archive holds twice the later entry counts, as for zipfile. A folder without files is there, and
// empty. Names that LocalStore draws for its temporary files lose their random part: "#".
OnDisk look_at(const std::filesystem::path& path, Medium medium);

// The same, of a place in a snapshot.
OnDisk look_at(const Snapshot& snapshot, const std::string& file, Medium medium);

// Writes a snapshot of a case's folder into another one.
Result<void> restore(const Snapshot& snapshot, const std::filesystem::path& folder);

// The files below `folder` that belong to none of the `places`, paths below it as well, and that
// are not `named_after` one, as "store-journal" is named after "store"; sorted.
std::vector<std::string> strays(const std::filesystem::path& folder,
                                const std::set<std::string>& places,
                                const std::set<std::string>& named_after = {});

// Removes all that lies in a folder; the folder stays. False: something could not be removed.
bool empty(const std::filesystem::path& folder);

}  // namespace storefuzz::program
