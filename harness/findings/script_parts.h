// A script's lines by process: those of the script itself in order, and for each child the
// functions that it runs. Consecutive lines of one child are one function; the script calls it
// where they stand in order. A child is a real pool of one process, which keeps its module's names.
//
//     Parts parts;
//     parts.add("p1", "s1 = zarr.storage.MemoryStore()");
//     parts.bind("p1", "s1");
//     parts.functions();   // def in_p1(): …
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace storefuzz::program {

using Lines = std::vector<std::string>;

std::string indented(const Lines& lines);

// An expression whose exception is an answer as well.
std::string answered(const std::string& expression);

// The end of main(): says and gives whether `defect` is so.
Lines verdict(const std::string& headline);

// Consecutive lines of a child.
struct Stretch {
  std::string process, function;
  Lines lines, parameters, arguments, gives;
  std::set<std::string> binds;  // also what is deleted
  bool refused = false;         // it ends by an exception that does not matter
  bool ends = false;            // so does its process
  bool is_asked = false;        // whether it is refused, or dies, is the question
  bool is_stopped = false;      // it may be killed within its last call: then the script ends so
};

class Parts {
 public:
  // `far`: the script may be in another directory when a child starts. `began`: how, as Python's
  // multiprocessing says it.
  explicit Parts(bool far, std::string began = "spawn") : far_(far), began_(std::move(began)) {}

  void add(const std::string& process, std::string line);
  void at_home(std::string line);  // of the script itself
  void at_home(const Lines& lines);

  void bind(const std::string& process, const std::string& name);  // its last line binds the name
  void give(const std::string& process, const std::string& name);  // what the script needs of it

  Stretch& of_child(const std::string& process);  // where its next line goes; a new one if need be
  bool begin(const std::string& process);         // false: it had begun
  void fork(const std::string& process);
  void flush();  // what follows is a function of its own

  const std::set<std::string>& begun() const { return begun_; }
  const std::set<std::string>& bound_at_home() const { return bound_; }

  Lines take_home();  // all lines of the script itself; none are left
  std::string functions() const;
  std::string globals() const;  // what forks inherit, as a statement; or ""

 private:
  std::string function_of(const Stretch& stretch) const;
  bool used_elsewhere(const Stretch& stretch, const std::string& name) const;

  bool far_;
  std::string began_;
  Lines home_;
  std::optional<Stretch> open_;
  std::vector<Stretch> stretches_;
  std::set<std::string> begun_, forked_, bound_;
};

}  // namespace storefuzz::program
