// Readers at one table: a thread each, a queue of requests, replies in order.
//
// The thread that starts a process stays for as long as the process: the kernel takes the end of
// that thread for the end of the parent (PR_SET_PDEATHSIG).
#include "harness/readers/panel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "harness/readers/names.h"

namespace storefuzz {
namespace {

constexpr Milliseconds kStart{60'000};       // an interpreter, its imports, a busy machine
constexpr int kMostFailedStarts = 3;         // in a row; then the reader stays away
constexpr rlim_t kLargestFile = 16 << 20;    // bytes; what a reader prints lies in memory
constexpr off_t kMostPrinted = 64 << 10;     // bytes kept from one request to the next
constexpr std::size_t kLastWords = 4 << 10;  // bytes of what was printed that go with a death
constexpr const char* kShared = "/dev/shm";  // always writable: see Process
constexpr const char* kRubbish = "a reply that is not of the protocol";

// --- what a reply must look like

bool is_answer(const Json& json) { return json.is_array() && !json.empty() && json[0].is_string(); }

// One answer for each that was asked, or none at all. Answers about others belong to another
// request: the reader is out of step.
bool are_answers(const Json& reply, const char* name, const std::vector<std::string>& asked) {
  const auto answers = reply.find(name);
  if (answers == reply.end() || !answers->is_object()) return false;
  return std::ranges::all_of(*answers, is_answer) && answers->size() <= asked.size() &&
         (answers->empty() ||
          std::ranges::all_of(asked, [&](const auto& key) { return answers->contains(key); }));
}

bool is_reply(const Json& json, const ReaderRequest& request) {
  return json.is_object() && json.contains("opened") && is_answer(json["opened"]) &&
         json.contains("listed") && (json["listed"].is_null() || json["listed"].is_array()) &&
         are_answers(json, "keys", request.keys) && are_answers(json, "arrays", request.arrays);
}

// Bytes in hexadecimal digits, or why there are none.
bool is_packed(const Json& json, const ReaderRequest&) {
  return json.is_object() && json.contains("packed") &&
         (json["packed"].is_string() || is_answer(json["packed"]));
}

bool is_hello(const Json& json) {
  if (!json.is_object() || !json.contains("version") || !json["version"].is_string()) return false;
  const auto views = json.find("views");
  return views != json.end() && views->is_array() &&
         std::ranges::all_of(*views, [](const Json& it) { return it.is_string(); });
}

// --- what the kernel knows about a process

// A line of /proc/PID/status that counts KiB: VmData, VmHWM; 0 where there is none.
std::uint64_t kib_of(pid_t pid, std::string_view name) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name) && line[name.size()] == ':')
      return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10);
  return 0;
}

// What a process has had of processors, in microseconds; 0 where it is gone. On a busy machine the
// time on the wall tells of others.
std::uint64_t processor_time(pid_t pid) {
  clockid_t clock;
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec) / 1000;
}

// VmHWM counts from here again.
void forget_peak(pid_t pid) { std::ofstream(fmt::format("/proc/{}/clear_refs", pid)) << "5"; }

bool limit(pid_t pid, __rlimit_resource what, rlim_t bytes) {
  const rlimit both{.rlim_cur = bytes, .rlim_max = bytes};
  return ::prlimit(pid, what, &both, nullptr) == 0;
}

// --- one reader

// One process at a time, and the next one where it died. For one thread, but for interrupt().
class Reader {
 public:
  using Fits = bool (*)(const Json&, const ReaderRequest&);

  Reader(ReaderCommand command, const Panel::Options& options, StackFile printed)
      : command_(std::move(command)), options_(options), printed_(std::move(printed)) {}

  Result<ReaderInfo> start();
  ReaderReply ask(const std::string& text, const ReaderRequest& request, Fits fits);
  // Starts a process anew if the last one died.
  void revive();
  // From any thread: no more than this moment is waited for.
  void interrupt();

 private:
  Result<Process> launch();
  Result<ReaderInfo> greet(Process& process);
  void hold(Process process);
  void let_go();
  Answer death(const Reply& reply);
  std::string last_words();
  std::unexpected<Error> not_started(const std::string& why);

  const ReaderCommand command_;
  const Panel::Options& options_;
  StackFile printed_;  // standard output and error
  std::optional<Process> process_;
  int failed_starts_ = 0;

  std::mutex mutex_;   // of those below
  Descriptor handle_;  // of the process; its number may be given to another process, this is not
  bool interrupted_ = false;
};

std::unexpected<Error> Reader::not_started(const std::string& why) {
  std::string words = last_words();
  while (words.ends_with('\n')) words.pop_back();
  words = words.substr(words.find_last_of('\n') + 1);
  return machine_failure(fmt::format("The reader {} does not start: {}{}{}.", command_.name, why,
                                     words.empty() ? "" : ": ", words));
}

Result<Process> Reader::launch() {
  const std::string contain = options_.contain.empty() ? kShared : options_.contain;
  Command command{.arguments = command_.arguments,
                  .environment = command_.environment,
                  .output = printed_.descriptor(),
                  .contain = contain};
  command.environment.try_emplace("TMPDIR", contain);
  return Process::start(command);
}

Result<ReaderInfo> Reader::greet(Process& process) {
  const Reply reply = process.ask(R"({"hello": true})", kStart);
  if (const Crashed* crash = std::get_if<Crashed>(&reply)) return not_started(crash->signal);
  const std::string* text = std::get_if<std::string>(&reply);
  if (!text) return not_started("no word from it");
  const Json hello = Json::parse(*text, nullptr, false);
  if (!is_hello(hello)) return not_started(kRubbish);
  return ReaderInfo{.name = command_.name,
                    .version = hello["version"],
                    .views = hello["views"].get<std::vector<std::string>>()};
}

Result<ReaderInfo> Reader::start() {
  auto process = launch();
  if (!process) return not_started(process.error().message);
  const pid_t pid = process->pid();
  hold(std::move(*process));
  auto info = greet(*process_);
  if (info) {
    // What was there at the start (of a sanitizer: terabytes of addresses) is not its doing.
    const rlim_t most = kib_of(pid, "VmData") * 1024 + options_.memory_bytes;
    if (!limit(pid, RLIMIT_FSIZE, kLargestFile) ||
        (options_.memory_bytes > 0 && !limit(pid, RLIMIT_DATA, most)))
      info = not_started("the kernel sets it no limits");
  }
  if (!info) let_go();
  return info;
}

void Reader::hold(Process process) {
  const std::lock_guard lock(mutex_);
  process_ = std::move(process);
  handle_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process_->pid(), 0)));
  if (interrupted_) process_->kill_and_reap();
}

void Reader::let_go() {
  const std::lock_guard lock(mutex_);
  process_.reset();
  handle_.reset();
}

void Reader::interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  if (handle_.get() >= 0) ::syscall(SYS_pidfd_send_signal, handle_.get(), SIGKILL, nullptr, 0);
}

void Reader::revive() {
  if (process_ || failed_starts_ >= kMostFailedStarts) return;
  failed_starts_ = start() ? 0 : failed_starts_ + 1;
}

std::string Reader::last_words() {
  const std::string all = printed_.take();
  return all.substr(all.size() - std::min(all.size(), kLastWords));
}

Answer Reader::death(const Reply& reply) {
  std::string words = last_words();
  if (std::holds_alternative<TimedOut>(reply)) return TimedOut{.stacks = std::move(words)};
  const Crashed* crash = std::get_if<Crashed>(&reply);
  return Crashed{.signal = crash ? crash->signal : kRubbish, .stacks = std::move(words)};
}

ReaderReply Reader::ask(const std::string& text, const ReaderRequest& request, Fits fits) {
  ReaderReply reply;
  if (!process_) {
    reply.died = Crashed{.signal = "does not start again"};
    return reply;
  }
  const pid_t pid = process_->pid();
  if (options_.measure) forget_peak(pid);
  const std::uint64_t begin = processor_time(pid);
  const Reply got = process_->ask(text, options_.deadline + request.extra_time);
  if (process_->alive()) reply.microseconds = processor_time(pid) - begin;
  if (options_.measure && process_->alive()) reply.peak_kib = kib_of(pid, "VmHWM");
  if (const std::string* bytes = std::get_if<std::string>(&got))
    reply.reply = Json::parse(*bytes, nullptr, false);
  if (fits(reply.reply, request)) {
    if (::lseek(printed_.descriptor(), 0, SEEK_END) > kMostPrinted) printed_.take();
    return reply;
  }
  reply.reply = nullptr;
  reply.died = death(got);
  let_go();
  return reply;
}

// Readers have a thread each, and what the command's signals do is for its own thread.
class SignalsOfOthers {
 public:
  SignalsOfOthers() {
    sigset_t some;
    ::sigemptyset(&some);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&some, number);
    ::pthread_sigmask(SIG_BLOCK, &some, &before_);
  }
  SignalsOfOthers(const SignalsOfOthers&) = delete;
  SignalsOfOthers& operator=(const SignalsOfOthers&) = delete;
  ~SignalsOfOthers() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// A memory file of this process alone.
Result<StackFile> make_private_file() {
  auto file = StackFile::make();
  if (file) ::fcntl(file->descriptor(), F_SETFD, FD_CLOEXEC);
  return file;
}

}  // namespace

// --- all readers

class Panel::Table {
 public:
  explicit Table(Options options) : options_(std::move(options)) {}
  ~Table();

  Result<void> seat(std::vector<ReaderCommand> commands);
  Result<void> start();

  const std::vector<ReaderInfo>& infos() const { return infos_; }
  void send(ReaderRequest request);
  std::vector<ReaderReply> collect();

 private:
  enum class Role { kReads, kPacksAndReads, kUnpacks };
  struct Seat {
    std::unique_ptr<Reader> reader;
    Role role = Role::kReads;
    std::optional<Result<ReaderInfo>> started = std::nullopt;
  };
  // One request on its way.
  struct Round {
    ReaderRequest request;
    Json asked;                        // the same, as JSON,
    std::string text;                  // and as a frame carries it
    std::vector<Json> packed;          // by whoever sits there; null: not yet
    std::vector<ReaderReply> replies;  // one for each seat
    std::size_t missing = 0;           // replies
  };

  Result<void> add(const ReaderCommand& command, Role role);
  void work(std::size_t place);
  Round* wait_for_round(std::size_t number);
  ReaderReply reply_of(std::size_t place, Round& round);
  std::optional<ReaderReply> pack(std::size_t place, Round& round);
  ReaderReply read_packed(std::size_t place, Round& round);

  const Options options_;
  std::vector<Seat> seats_;
  std::vector<ReaderInfo> infos_;

  std::mutex mutex_;  // of those below, of Seat::started, and of a round's packed and missing
  std::condition_variable sent_, packed_, done_;
  std::deque<std::unique_ptr<Round>> rounds_;  // oldest first
  std::size_t first_ = 0;                      // the number of the oldest
  bool ending_ = false;

  std::vector<std::jthread> threads_;  // the last: they use all that stands above
};

Panel::Table::~Table() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  sent_.notify_all();
  packed_.notify_all();
  for (Seat& seat : seats_) seat.reader->interrupt();
}

Result<void> Panel::Table::add(const ReaderCommand& command, Role role) {
  auto printed = make_private_file();
  if (!printed) return std::unexpected(printed.error());
  seats_.push_back(
      {.reader = std::make_unique<Reader>(command, options_, std::move(*printed)), .role = role});
  return {};
}

Result<void> Panel::Table::seat(std::vector<ReaderCommand> commands) {
  std::error_code error;
  if (!options_.contain.empty() && !std::filesystem::is_directory(options_.contain, error))
    return machine_failure(fmt::format("There is no folder {} for readers.", options_.contain));
  for (ReaderCommand& command : commands) {
    if (auto added = add(command, command.packs ? Role::kPacksAndReads : Role::kReads); !added)
      return added;
    if (!command.packs) continue;
    command.name += " child";
    if (auto added = add(command, Role::kUnpacks); !added) return added;
  }
  return {};
}

Result<void> Panel::Table::start() {
  {
    const SignalsOfOthers blocked;
    for (std::size_t place = 0; place < seats_.size(); ++place)
      threads_.emplace_back([this, place] { work(place); });
  }
  std::unique_lock lock(mutex_);
  for (const Seat& seat : seats_) {
    done_.wait(lock, [&] { return seat.started.has_value(); });
    if (!*seat.started) return std::unexpected(seat.started->error());
    infos_.push_back(**seat.started);
  }
  return {};
}

void Panel::Table::work(std::size_t place) {
  Seat& seat = seats_[place];
  auto started = seat.reader->start();
  const bool there = started.has_value();
  {
    const std::lock_guard lock(mutex_);
    seat.started = std::move(started);
  }
  done_.notify_one();
  if (!there) return;
  for (std::size_t number = 0; Round* round = wait_for_round(number); ++number) {
    ReaderReply reply = reply_of(place, *round);
    bool complete = false;
    {
      const std::lock_guard lock(mutex_);
      round->replies[place] = std::move(reply);
      complete = --round->missing == 0;  // after this, the round is the collector's
    }
    if (complete) done_.notify_one();
    seat.reader->revive();
  }
}

// The round of that number, or null at the end.
Panel::Table::Round* Panel::Table::wait_for_round(std::size_t number) {
  std::unique_lock lock(mutex_);
  sent_.wait(lock, [&] { return ending_ || number - first_ < rounds_.size(); });
  return ending_ ? nullptr : rounds_[number - first_].get();
}

ReaderReply Panel::Table::reply_of(std::size_t place, Round& round) {
  const Seat& seat = seats_[place];
  if (seat.role == Role::kUnpacks) return read_packed(place, round);
  if (seat.role == Role::kPacksAndReads)
    if (auto died = pack(place, round)) return *std::move(died);
  return seat.reader->ask(round.text, round.request, is_reply);
}

// Packs, and lets the child begin. A death while packing is the answer.
std::optional<ReaderReply> Panel::Table::pack(std::size_t place, Round& round) {
  const Json asked{{"file", round.request.file}, {"pack", true}};
  ReaderReply reply = seats_[place].reader->ask(text_of(asked), round.request, is_packed);
  const bool died = !std::holds_alternative<Absent>(reply.died);
  Json packed = died ? Json{"refused", "NotPacked", describe(reply.died)} : reply.reply["packed"];
  {
    const std::lock_guard lock(mutex_);
    round.packed[place] = std::move(packed);
  }
  packed_.notify_all();
  return died ? std::optional(std::move(reply)) : std::nullopt;
}

// Whoever packs sits just before.
ReaderReply Panel::Table::read_packed(std::size_t place, Round& round) {
  const Json* packed = &round.packed[place - 1];
  {
    std::unique_lock lock(mutex_);
    packed_.wait(lock, [&] { return ending_ || !packed->is_null(); });
    if (ending_) return {};
  }
  if (packed->is_array()) return {.reply = reply_when_refused(*packed)};
  Json asked = round.asked;
  asked["pickle"] = *packed;
  return seats_[place].reader->ask(text_of(asked), round.request, is_reply);
}

void Panel::Table::send(ReaderRequest request) {
  auto round = std::make_unique<Round>();
  round->asked = {{"file", request.file}, {"keys", request.keys}, {"arrays", request.arrays}};
  round->text = text_of(round->asked);
  round->request = std::move(request);
  round->packed.resize(seats_.size());
  round->replies.resize(seats_.size());
  round->missing = seats_.size();
  {
    const std::lock_guard lock(mutex_);
    rounds_.push_back(std::move(round));
  }
  sent_.notify_all();
}

std::vector<ReaderReply> Panel::Table::collect() {
  std::unique_lock lock(mutex_);
  if (rounds_.empty()) return {};
  done_.wait(lock, [&] { return rounds_.front()->missing == 0; });
  const std::unique_ptr<Round> round = std::move(rounds_.front());
  rounds_.pop_front();
  ++first_;
  return std::move(round->replies);
}

Panel::Panel(std::unique_ptr<Table> table) : table_(std::move(table)) {}
Panel::Panel(Panel&&) noexcept = default;
Panel& Panel::operator=(Panel&&) noexcept = default;
Panel::~Panel() = default;

Result<Panel> Panel::start(std::vector<ReaderCommand> commands, Options options) {
  auto table = std::make_unique<Table>(std::move(options));
  if (auto seated = table->seat(std::move(commands)); !seated)
    return std::unexpected(seated.error());
  if (auto started = table->start(); !started) return std::unexpected(started.error());
  return Panel(std::move(table));
}

const std::vector<ReaderInfo>& Panel::readers() const { return table_->infos(); }
void Panel::send(ReaderRequest request) { table_->send(std::move(request)); }
std::vector<ReaderReply> Panel::collect() { return table_->collect(); }

std::vector<ReaderReply> Panel::ask(ReaderRequest request) {
  send(std::move(request));
  return collect();
}

}  // namespace storefuzz
