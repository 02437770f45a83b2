// What this process holds for a program, and each order performed on it.
//
//     Performer performer(scratch);
//     performer.begin();
//     Reply reply = performer.perform(order);
#pragma once

#include <sys/types.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "harness/case/store.h"
#include "harness/wire/orders.h"
#include "harness/wire/plain_text.h"
#include "harness/worker/drive.h"
#include "harness/worker/kinds.h"
#include "harness/worker/python.h"
#include "harness/worker/watch.h"

namespace storefuzz::program {

class Performer {
 public:
  // `scratch`: the folder of processes that have no case.
  explicit Performer(std::string scratch) : scratch_(std::move(scratch)) {}

  // A fork has no thread of zarr's loop: what that thread held, nobody there would ever let go.
  void prepare_fork() const;
  // In a process that just began: a worker, or what a worker forked.
  void begin() {
    driver_.begin();
    close_folder();
  }

  // Every order but kFork, kExit and kQuit. What the subject raises is an answer.
  Reply perform(const Order& order);

  // Puts the handles where a script of a user has them, so that Python's exit finds them. How many
  // threads there were when the case began; 1 where it has handles that native threads serve.
  std::size_t leave_to_python();

 private:
  Answer begin_case(const std::string& folder, const std::string& server);
  Answer make(const Order& order);
  Answer call(const Order& order);
  Answer pack(const Order& order);
  Answer unpack(const Order& order);
  Answer copy(const Order& order);
  Answer drop(Slot handle);
  Answer change_directory(const std::string& folder);
  Answer end_case();

  PyObject* held(Slot slot) const;  // nullptr: none
  Answer bind(Slot slot, Object object);
  Answer refused() const;
  PyObject* maker(const std::string& text);
  Object packed(const Order& order, const Ways& carrier, PyObject* put) const;
  Answer received(const Order& order, const Ways& carrier, const Object& packed);
  void wake(const std::string& words, Slot handle);
  bool other_descriptors() const;
  Names open_files();
  void read_folder();
  void close_folder();
  void look(Reply& reply);
  Answer answer(const Order& order);

  std::string scratch_, folder_;
  std::string server_;  // that gives the folder; empty: none
  Replacements names_;
  Driver driver_;
  Watch watch_;
  Folder files_;          // of the case; opened when it is first looked at
  std::size_t told_ = 0;  // the version of it that was told last
  std::map<Slot, Object> handles_;
  std::unordered_map<std::string, Object> makers_;  // expression → function
  std::set<std::string> awake_;                     // kinds whose imports and `before` have run
  std::set<Slot> threaded_;                         // handles that native threads serve
  std::size_t threads_ = 1;                         // when the case began
  std::set<std::string> made_;                      // `clean` texts that are due
  // Files that an earlier case left open, by descriptor, device and inode: that case's to tell.
  using OpenFile = std::tuple<int, dev_t, ino_t>;
  std::set<OpenFile> open_, found_;
  std::size_t descriptors_ = 0;  // at the end of the last case; 0: not known
};

}  // namespace storefuzz::program
