// Which files lie below a folder, with size and checksum: a mark of what a case has done so far.
//
// Contents are read each time. The clock of file systems is coarse: a file may change twice within
// one tick of it, and keep its size.
//
//     for (const FileSum& it : files_below("/dev/shm/run/case")) sums[it.name] = it.crc;
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace storefuzz {

struct FileSum {
  std::string name;  // below the folder: "store/c/0"; bytes, as the file system has them
  std::uint64_t size = 0;
  std::uint32_t crc = 0;  // CRC-32
};

// In no order. Links to folders are not followed, links to files are; what cannot be read (a file
// that is gone meanwhile, a pipe) counts as empty.
std::vector<FileSum> files_below(const std::string& folder);

}  // namespace storefuzz
