// One process below us: a frame in, a frame out, a deadline, always reaped.
//
// A frame is a 32-bit length and that many bytes. A child's death is an observation: `ask` answers
// with the reply, or with how the child died. Python stacks arrive through a memory file that all
// processes of a parent share (`StackFile`), written by faulthandler at a signal.
//
//     Result<Process> child = Process::start({.arguments = {"/proc/self/exe", "--child"}});
//     Reply reply = child->ask(request, std::chrono::seconds(1));
//     if (const TimedOut* hang = std::get_if<TimedOut>(&reply)) report(hang->stacks);
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/error.h"
#include "harness/process/ending.h"

namespace storefuzz {

using Milliseconds = std::chrono::milliseconds;

// A descriptor that is closed once.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return number_; }
  void reset();

 private:
  int number_ = -1;
};

// An anonymous file in memory that children inherit under its own number, which is never one of the
// numbers a started child uses for its frames.
Result<Descriptor> make_memory_file(const char* name, std::size_t size = 0);

// At which faulthandler writes the stack of the thread that was asked, and those of all threads.
inline constexpr int kSignalOfStack = SIGUSR1, kSignalOfStacks = SIGUSR2;

// Where faulthandler writes: an anonymous file, empty between uses.
class StackFile {
 public:
  static Result<StackFile> make();
  explicit StackFile(Descriptor file) : file_(std::move(file)) {}
  int descriptor() const { return file_.get(); }
  // Asks `pid` for its stacks and waits up to two seconds for them.
  std::string ask(pid_t pid);
  // What was written since the last call, e.g. by a fatal signal.
  std::string take();

 private:
  std::string ask(pid_t pid, int signal, int looks);

  Descriptor file_;
};

struct Command {
  std::vector<std::string> arguments;              // the program first
  std::map<std::string, std::string> environment;  // added to ours
  std::vector<int> descriptors;                    // kept open over exec, same numbers
  std::string directory;                           // working directory; empty: ours
  int output = -1;                                 // standard output and error go here; -1: as ours
  std::string contain;                             // writes are forbidden outside this folder
  bool frames = true;                              // standard input and descriptor 3 carry frames
};

// The command as a person would paste it into a shell.
std::string to_shell(const Command& command);

using Reply = std::variant<std::string, Crashed, TimedOut>;

class Process {
 public:
  // Starts a program, which dies with us (PR_SET_PDEATHSIG).
  static Result<Process> start(const Command& command);

  // Forks this process. `body` gets each request and gives its reply; the child leaves by _exit and
  // runs nothing else. `before`, `in_parent` and `in_child` surround the fork (CPython's hooks).
  struct ForkHooks {
    std::function<void()> before, in_parent, in_child;
  };
  static Result<Process> fork(const ForkHooks& hooks,
                              const std::function<std::string(const std::string&)>& body);

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // kills and reaps

  // Sends a frame and waits for one. Past the deadline the stacks are taken (where `stacks` is
  // given) and the process is killed; also before, once no thread of it has run for as long as
  // `asleep`. 0: the process may sleep up to the deadline.
  Reply ask(const std::string& request, Milliseconds deadline, StackFile* stacks = nullptr,
            Milliseconds asleep = Milliseconds(0));
  bool send(const std::string& request);
  Reply wait(Milliseconds deadline, StackFile* stacks = nullptr,
             Milliseconds asleep = Milliseconds(0));
  // Whether a reply, or the end of the process's pipe, arrives before the deadline. Reads nothing.
  bool has_reply(Milliseconds deadline) const;

  pid_t pid() const { return pid_; }
  bool alive() const { return pid_ > 0; }
  void kill_and_reap();
  // Waits for the end of the process: exit status as "exit N", or the signal's name. Empty when
  // there was no end.
  std::string wait_for_end(Milliseconds deadline);
  int exit_code() const { return ending_ ? ending_->exit_code : -1; }  // -1: not ended by exit
  const std::optional<Ending>& ending() const { return ending_; }      // once an end was waited for

 private:
  Process() = default;
  Crashed died(StackFile* stacks);
  TimedOut timed_out(StackFile* stacks);
  std::string reap(bool block);

  pid_t pid_ = -1;
  bool leads_group_ = false;  // started, not forked: what the process starts ends with it
  std::optional<Ending> ending_;
  Descriptor to_, from_;
};

// What all threads of a process have used of processors, those that ended as well.
std::chrono::nanoseconds processor_time(pid_t pid);

// For how long a process has been asleep, as far as somebody looked: none of its threads ran, and
// none waits for a processor or a disk, which says that the machine is busy.
class Asleep {
 public:
  explicit Asleep(pid_t pid);
  Milliseconds look();

 private:
  pid_t pid_;
  std::chrono::nanoseconds used_;
  std::chrono::steady_clock::time_point since_;
};

// Waits for something to read on a descriptor, which `pid` writes to. False: the deadline is past,
// or before that the process has been asleep for as long as `asleep`.
bool answers(pid_t pid, int descriptor, Milliseconds deadline, Milliseconds asleep);

// Frames on two descriptors, for the child's side; false at the end of the file.
bool read_frame(int descriptor, std::string& into);
bool write_frame(int descriptor, std::string_view bytes);

// Puts signal handlers that a fuzzing engine installed back to their defaults.
void reset_signal_handlers();

// This process dies when its parent does; ends at once if the parent is gone already.
void die_with_parent(pid_t expected_parent);

// How a command ended that was run to its end.
struct Finished {
  std::string output;    // standard output and error, the first mebibyte
  std::string end;       // "exit 0", "SIGKILL", "timed out"
  int exit_code = -1;    // -1: not ended by exit
  bool stopped = false;  // before its end, because `stop` said so
};

// Runs a command and waits for its end. `stop` is asked many times a second; once true, the command
// gets SIGTERM and two seconds, in which environment.py removes what is half made, and is killed
// then. Processes that the command started are killed with it.
Result<Finished> run_to_end(Command command, Milliseconds deadline,
                            const std::function<bool()>& stop = {});

}  // namespace storefuzz
