// Processes by fork and exec, frames over pipes, deadlines by poll.
#include "harness/process/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "harness/base/files.h"
#include "harness/process/sandbox.h"

extern char** environ;

namespace storefuzz {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kMaxFrame = 64 << 20;  // bytes; a longer frame is not from us
constexpr int kReplyDescriptor = 3;            // where a started child writes its frames
constexpr Milliseconds kStopping{2000};        // from SIGTERM to SIGKILL, for tidying up

enum class Got { kAll, kEnd, kLate };

// Reads `size` bytes before `until`; without a deadline when `until` is absent.
Got read_all(int descriptor, char* into, std::size_t size,
             const std::optional<Clock::time_point>& until) {
  while (size > 0) {
    if (until) {
      const auto left = std::chrono::duration_cast<Milliseconds>(*until - Clock::now()).count();
      pollfd ready{.fd = descriptor, .events = POLLIN, .revents = 0};
      const int count = ::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
      if (count < 0 && errno == EINTR) continue;
      if (count == 0) return Got::kLate;
    }
    const ssize_t count = ::read(descriptor, into, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Got::kEnd;
    into += count;
    size -= static_cast<std::size_t>(count);
  }
  return Got::kAll;
}

Got read_frame_until(int descriptor, std::string& into,
                     const std::optional<Clock::time_point>& until) {
  std::uint32_t size = 0;
  const Got head = read_all(descriptor, reinterpret_cast<char*>(&size), sizeof size, until);
  if (head != Got::kAll) return head;
  if (size > kMaxFrame) return Got::kEnd;
  into.resize(size);
  return read_all(descriptor, into.data(), size, until);
}

// Writes a frame to a descriptor that does not block.
Got write_frame_until(int descriptor, std::string_view bytes, Clock::time_point until) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::string frame(reinterpret_cast<const char*>(&size), sizeof size);
  frame += bytes;
  for (std::size_t at = 0; at < frame.size();) {
    const ssize_t count = ::write(descriptor, frame.data() + at, frame.size() - at);
    if (count > 0) at += static_cast<std::size_t>(count);
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    if (count == 0 || errno != EAGAIN) return Got::kEnd;
    const auto left = std::chrono::duration_cast<Milliseconds>(until - Clock::now()).count();
    pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) == 0) return Got::kLate;
  }
  return Got::kAll;
}

struct Pipe {
  Descriptor read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return machine_failure(fmt::format("no pipe can be made: {}", std::strerror(errno)));
  // Away from the numbers that a started program uses itself.
  const Descriptor low_read(ends[0]);
  const Descriptor low_write(ends[1]);
  Pipe pipe{Descriptor(::fcntl(ends[0], F_DUPFD_CLOEXEC, 10)),
            Descriptor(::fcntl(ends[1], F_DUPFD_CLOEXEC, 10))};
  if (pipe.read.get() < 0 || pipe.write.get() < 0)
    return machine_failure(fmt::format("no pipe can be made: {}", std::strerror(errno)));
  ::signal(SIGPIPE, SIG_IGN);  // a child that is gone is an answer, not our end
  return pipe;
}

// In the new process, between fork and exec: only calls that are safe there.
[[noreturn]] void become(const Command& command, char* const* arguments, char* const* environment,
                         int in, int out, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::setpgid(0, 0);  // Ctrl-C is for the supervisor, which then ends the others in order
  reset_signal_handlers();
  if (command.output >= 0) {
    ::dup2(command.output, 1);
    ::dup2(command.output, 2);
  }
  if (command.frames) {
    ::dup2(in, 0);
    ::dup2(out, kReplyDescriptor);
    if (out == kReplyDescriptor) ::fcntl(out, F_SETFD, 0);
  } else {
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, 0);
  }
  for (const int descriptor : command.descriptors) ::fcntl(descriptor, F_SETFD, 0);
  if (!command.contain.empty()) {
    // multiprocessing keeps its semaphores in /dev/shm.
    const std::filesystem::path also[] = {"/dev/shm"};
    if (!forbid_writes_outside(command.contain, also)) ::_exit(127);
  }
  if (!command.directory.empty() && ::chdir(command.directory.c_str()) != 0) ::_exit(127);
  ::execvpe(arguments[0], arguments, environment);
  ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> list;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    const std::string name{text.substr(0, text.find('='))};
    if (!command.environment.contains(name)) list.emplace_back(text);
  }
  for (const auto& [name, value] : command.environment) list.push_back(name + "=" + value);
  return list;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  reset();
  number_ = std::exchange(other.number_, -1);
  return *this;
}

Descriptor::~Descriptor() { reset(); }

void Descriptor::reset() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

Result<Descriptor> make_memory_file(const char* name, std::size_t size) {
  Descriptor low(::memfd_create(name, 0));
  Descriptor file(::fcntl(low.get(), F_DUPFD, 10));
  if (file.get() < 0 || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0)
    return machine_failure(fmt::format("no memory file can be made: {}", std::strerror(errno)));
  return file;
}

constexpr int kLooksAtStack = 3;
constexpr int kLooksAtStacks = 8;
constexpr std::string_view kCurrent = "Current thread";  // as faulthandler tells all threads

Result<StackFile> StackFile::make() {
  auto file = make_memory_file("storefuzz-stacks");
  if (!file) return std::unexpected(file.error());
  ::fcntl(file->get(), F_SETFL, O_APPEND);
  return StackFile(std::move(*file));
}

std::string StackFile::take() {
  const off_t size = ::lseek(file_.get(), 0, SEEK_END);
  std::string text(static_cast<std::size_t>(std::max<off_t>(size, 0)), '\0');
  const ssize_t got = ::pread(file_.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (::ftruncate(file_.get(), 0) != 0) text.clear();
  return text;
}

// A thread that runs while its stack is read may crash the process, before the stack of the thread
// that was asked is told: that one is told first, by itself.
std::string StackFile::ask(pid_t pid) {
  const std::string current = ask(pid, kSignalOfStack, kLooksAtStack);
  std::string all = ask(pid, kSignalOfStacks, kLooksAtStacks);
  if (current.empty() || all.find(kCurrent) != all.npos) return all;
  return std::string(kCurrent) + current.substr(std::min(current.find(' '), current.size()));
}

std::string StackFile::ask(pid_t pid, int signal, int most_looks) {
  take();
  if (::kill(pid, signal) != 0) return "";
  // The process writes line by line, and another one may have its core meanwhile: a file that does
  // not grow for a moment need not be whole.
  off_t before = 0;
  int looks = 0;  // at a file of this size
  for (int tries = 0; tries < 100 && looks < most_looks; ++tries) {
    std::this_thread::sleep_for(Milliseconds(10));
    const off_t now = ::lseek(file_.get(), 0, SEEK_END);
    looks = now > 0 && now == before ? looks + 1 : 0;
    before = now;
  }
  return take();
}

namespace {

// In single quotes, as POSIX shells read them.
std::string in_quotes(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string to_shell(const Command& command) {
  std::vector<std::string> words;
  for (const auto& [name, value] : command.environment)
    words.push_back(fmt::format("{}={}", name, in_quotes(value)));
  for (const std::string& argument : command.arguments) {
    const bool plain = argument.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                           "-_./=:,+@%") == argument.npos;
    words.push_back(plain && !argument.empty() ? argument : in_quotes(argument));
  }
  return fmt::format("{}", fmt::join(words, " "));
}

Result<Process> Process::start(const Command& command) {
  auto in = make_pipe();
  if (!in) return std::unexpected(in.error());
  auto out = make_pipe();
  if (!out) return std::unexpected(out.error());
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = environment_of(command);
  const auto argument_list = pointers(arguments);
  const auto environment_list = pointers(environment);
  const pid_t parent = ::getpid();
  Process child;
  child.pid_ = ::fork();
  if (child.pid_ < 0)
    return machine_failure(fmt::format("no process can be started: {}", std::strerror(errno)));
  if (child.pid_ == 0)
    become(command, argument_list.data(), environment_list.data(), in->read.get(), out->write.get(),
           parent);
  ::setpgid(child.pid_, child.pid_);  // also here: whoever comes first
  child.leads_group_ = true;
  if (command.frames) {
    child.to_ = std::move(in->write);
    child.from_ = std::move(out->read);
  }
  return child;
}

Result<Process> Process::fork(const ForkHooks& hooks,
                              const std::function<std::string(const std::string&)>& body) {
  auto in = make_pipe();
  if (!in) return std::unexpected(in.error());
  auto out = make_pipe();
  if (!out) return std::unexpected(out.error());
  const pid_t parent = ::getpid();
  hooks.before();
  Process child;
  child.pid_ = ::fork();
  if (child.pid_ == 0) {
    reset_signal_handlers();
    die_with_parent(parent);
    in->write.reset();
    out->read.reset();
    hooks.in_child();
    std::string request;
    while (read_frame(in->read.get(), request))
      if (!write_frame(out->write.get(), body(request))) break;
    ::_exit(0);
  }
  hooks.in_parent();
  if (child.pid_ < 0)
    return machine_failure(fmt::format("no process can be forked: {}", std::strerror(errno)));
  child.to_ = std::move(in->write);
  child.from_ = std::move(out->read);
  return child;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      leads_group_(other.leads_group_),
      ending_(other.ending_),
      to_(std::move(other.to_)),
      from_(std::move(other.from_)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  kill_and_reap();
  pid_ = std::exchange(other.pid_, -1);
  leads_group_ = other.leads_group_;
  ending_ = other.ending_;
  to_ = std::move(other.to_);
  from_ = std::move(other.from_);
  return *this;
}

Process::~Process() { kill_and_reap(); }

bool Process::send(const std::string& request) {
  return pid_ > 0 && write_frame(to_.get(), request);
}

namespace {

// A thread that waits for a processor (R) or for a disk (D) is not asleep: the machine is busy.
bool wants_to_run(pid_t pid) {
  std::error_code error;
  const auto tasks = fmt::format("/proc/{}/task", pid);
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    std::ifstream file(task.path() / "stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name = line.rfind(')');  // the name before it may hold anything
    if (name == line.npos || name + 2 >= line.size()) continue;
    if (const char state = line[name + 2]; state == 'R' || state == 'D') return true;
  }
  return false;
}

}  // namespace

std::chrono::nanoseconds processor_time(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Asleep::Asleep(pid_t pid) : pid_(pid), used_(processor_time(pid)), since_(Clock::now()) {}

Milliseconds Asleep::look() {
  constexpr std::chrono::milliseconds kNothing(2);  // what a timer of an idle thread uses
  if (const auto now = processor_time(pid_); now - used_ >= kNothing || wants_to_run(pid_)) {
    used_ = now;
    since_ = Clock::now();
  }
  return std::chrono::duration_cast<Milliseconds>(Clock::now() - since_);
}

bool answers(pid_t pid, int descriptor, Milliseconds deadline, Milliseconds asleep) {
  const auto until = Clock::now() + deadline;
  const Milliseconds glance = asleep / 5;  // how often we look at the process
  Asleep process(pid);
  for (;;) {
    const auto left = std::chrono::duration_cast<Milliseconds>(until - Clock::now());
    if (left <= Milliseconds(0)) return false;
    pollfd ready{.fd = descriptor, .events = POLLIN, .revents = 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::min(left, glance).count()) + 1);
    if (count > 0) return true;
    if (count < 0) continue;
    if (process.look() >= asleep) return false;
  }
}

Reply Process::wait(Milliseconds deadline, StackFile* stacks, Milliseconds asleep) {
  std::string reply;
  const auto until = Clock::now() + deadline;
  if (asleep > Milliseconds(0) && pid_ > 0 && !answers(pid_, from_.get(), deadline, asleep))
    return timed_out(stacks);
  switch (read_frame_until(from_.get(), reply, until)) {
    case Got::kAll:
      return reply;
    case Got::kEnd:
      return died(stacks);
    case Got::kLate:
      break;
  }
  return timed_out(stacks);
}

bool Process::has_reply(Milliseconds deadline) const {
  pollfd ready{.fd = from_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&ready, 1, static_cast<int>(deadline.count())) > 0;
}

TimedOut Process::timed_out(StackFile* stacks) {
  TimedOut hang{.stacks = stacks ? stacks->ask(pid_) : ""};
  kill_and_reap();
  return hang;
}

Reply Process::ask(const std::string& request, Milliseconds deadline, StackFile* stacks,
                   Milliseconds asleep) {
  const auto until = Clock::now() + deadline;
  const int flags = ::fcntl(to_.get(), F_GETFL);
  ::fcntl(to_.get(), F_SETFL, flags | O_NONBLOCK);
  const Got sent = pid_ > 0 ? write_frame_until(to_.get(), request, until) : Got::kEnd;
  ::fcntl(to_.get(), F_SETFL, flags);
  if (sent == Got::kEnd) return died(stacks);
  if (sent == Got::kLate) return timed_out(stacks);
  return wait(std::chrono::duration_cast<Milliseconds>(until - Clock::now()), stacks, asleep);
}

Crashed Process::died(StackFile* stacks) {
  // The pipe closes a moment before the process is gone.
  std::string end = wait_for_end(Milliseconds(2000));
  if (end.empty()) {
    kill_and_reap();
    end = "closed its pipe";
  }
  return {.signal = end, .stacks = stacks ? stacks->take() : ""};
}

std::string Process::reap(bool block) {
  // A process may leave children behind in its process group. Until waitpid() the kernel gives its
  // number to no other process, so that the signal below reaches this group and no other.
  siginfo_t end{};
  int seen = -1;
  do {
    seen =
        ::waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOWAIT | (block ? 0 : WNOHANG));
  } while (seen < 0 && errno == EINTR);
  if (seen == 0 && end.si_pid == 0) return "";
  if (leads_group_) ::kill(-pid_, SIGKILL);
  int status = 0;
  pid_t got = -1;
  do {
    got = ::waitpid(pid_, &status, 0);
  } while (got < 0 && errno == EINTR);
  pid_ = -1;
  to_.reset();
  from_.reset();
  ending_ = Ending{};
  if (got > 0 && WIFEXITED(status)) ending_->exit_code = WEXITSTATUS(status);
  if (got > 0 && WIFSIGNALED(status)) ending_->signal = WTERMSIG(status);
  return name_of(*ending_);
}

std::string Process::wait_for_end(Milliseconds deadline) {
  const auto until = Clock::now() + deadline;
  Milliseconds pause(1);
  while (pid_ > 0) {
    if (std::string end = reap(false); !end.empty()) return end;
    if (Clock::now() >= until) return "";
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, Milliseconds(20));
  }
  return "lost";
}

void Process::kill_and_reap() {
  if (pid_ <= 0) return;
  ::kill(leads_group_ ? -pid_ : pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  reap(true);
}

bool read_frame(int descriptor, std::string& into) {
  return read_frame_until(descriptor, into, std::nullopt) == Got::kAll;
}

bool write_frame(int descriptor, std::string_view bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::string frame(reinterpret_cast<const char*>(&size), sizeof size);
  frame += bytes;
  return write_all(descriptor, frame) == 0;
}

void reset_signal_handlers() {
  for (int number = 1; number < NSIG; ++number)
    if (number != SIGKILL && number != SIGSTOP && number != kSignalOfStack &&
        number != kSignalOfStacks)
      ::signal(number, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void die_with_parent(pid_t expected_parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != expected_parent) ::_exit(0);
}

Result<Finished> run_to_end(Command command, Milliseconds deadline,
                            const std::function<bool()>& stop) {
  auto out = make_pipe();
  if (!out) return std::unexpected(out.error());
  command.frames = false;
  command.output = out->write.get();
  auto process = Process::start(command);
  if (!process) return std::unexpected(process.error());
  out->write.reset();
  Finished finished;
  const auto until = Clock::now() + deadline;
  char buffer[4096];
  bool open = true;  // its output
  while (finished.end.empty() && Clock::now() < until) {
    finished.stopped = stop && stop();
    if (finished.stopped) break;
    pollfd ready{.fd = out->read.get(), .events = POLLIN, .revents = 0};
    // Processes that the command started may hold the pipe for long: its own end ends the wait.
    if (!open || ::poll(&ready, 1, 20) <= 0) {
      finished.end = process->wait_for_end(Milliseconds(open ? 0 : 20));
      continue;
    }
    const ssize_t count = ::read(out->read.get(), buffer, sizeof buffer);
    if (count > 0 && finished.output.size() < (1 << 20)) finished.output.append(buffer, count);
    open = count > 0 || (count < 0 && errno == EINTR);
  }
  if (finished.stopped && process->alive()) ::kill(process->pid(), SIGTERM);
  if (finished.end.empty())
    finished.end = process->wait_for_end(finished.stopped ? kStopping : Milliseconds(1));
  finished.exit_code = process->exit_code();
  if (finished.end.empty()) finished.end = "timed out";
  return finished;
}

}  // namespace storefuzz
