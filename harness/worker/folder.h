// The files below a folder, looked at again and again: has one changed?
//
// Descriptors stay open until `close`: whoever closes a file loses the locks (fcntl(2)) that the
// subject, in the same process, may hold on it.
//
// The clock of file systems is coarse, so times say nothing: a file may change twice within a tick.
// Contents are compared. What costs is to open files, so descriptors are kept, by inode.
//
//     Folder folder;
//     folder.open("/dev/shm/run/case");
//     if (folder.changed()) keep(folder.content());
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/process/process.h"
#include "harness/wire/orders.h"

namespace storefuzz::program {

class Folder {
 public:
  void open(const std::string& path);  // and reads it
  void close();

  // Reads again what may have changed. True: a file came, went, or is another one than before.
  bool changed();

  bool is_open() const { return root_.get() >= 0; }

  Snapshot content() const;
  std::size_t size() const;  // bytes of all files

  // Another number each time that something had changed, also a folder without files.
  std::size_t version() const { return version_; }

 private:
  struct File {
    Descriptor descriptor;
    ino_t inode = 0;
    std::int64_t modified = 0;  // nanoseconds
    std::string bytes;
    bool there = false;
  };
  struct Below {
    Descriptor descriptor;
    ino_t inode = 0;
    bool there = false;
  };
  bool read_folder(int descriptor, const std::string& within);
  bool read_file(int folder, const char* name, const std::string& path);
  template <class Kept>
  static bool forget_gone(std::map<std::string, Kept>& kept);

  Descriptor root_;
  std::map<std::string, File> files_;
  std::map<std::string, Below> folders_;
  std::size_t version_ = 0;
};

}  // namespace storefuzz::program
