// See workers.h. What a hang is, is decided by process/process.h.
#include "harness/direct/workers.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <utility>

namespace storefuzz::program {

namespace {

constexpr std::size_t kMostIdle = 6;  // a program has four processes and its crash states a reader

}  // namespace

// One whose parent has waited for it after all is nowhere.
void Orphans::reap() {
  std::erase_if(pids_, [](pid_t pid) {
    return ::waitpid(pid, nullptr, WNOHANG) == pid || ::kill(pid, 0) != 0;
  });
}

Worker::Worker(Worker&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      channel_(std::move(other.channel_)),
      loop_(other.loop_),
      stacks_(other.stacks_),
      orphans_(other.orphans_),
      subject_(std::move(other.subject_)),
      frame_(std::move(other.frame_)),
      asked_(other.asked_) {}

Worker& Worker::operator=(Worker&& other) noexcept {
  if (this == &other) return *this;
  kill();
  pid_ = std::exchange(other.pid_, -1);
  channel_ = std::move(other.channel_);
  loop_ = other.loop_;
  stacks_ = other.stacks_;
  orphans_ = other.orphans_;
  subject_ = std::move(other.subject_);
  frame_ = std::move(other.frame_);
  asked_ = other.asked_;
  return *this;
}

Worker::~Worker() {
  if (alive()) kill();
  ending();
}

void Worker::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

// A process that another worker forked is that worker's child, not ours, until it is gone.
std::string Worker::ending() {
  channel_.close();
  const pid_t pid = std::exchange(pid_, -1);
  int status = 0;
  pid_t got = -1;
  do {
    got = pid > 0 ? ::waitpid(pid, &status, 0) : -1;
  } while (got < 0 && pid > 0 && errno == EINTR);
  if (got < 0) {
    if (pid > 0 && orphans_) orphans_->add(pid);
    return "lost";
  }
  Ending ending;
  if (WIFEXITED(status)) ending.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
  return name_of(ending);
}

TimedOut Worker::hang(bool stacks) {
  TimedOut hang{.stacks = stacks && stacks_ ? stacks_->ask(pid_) : ""};
  kill();
  ending();
  return hang;
}

// Most answers are there within a millisecond; only then is it asked whether the process sleeps.
Got Worker::receive(const Patience& patience) {
  constexpr Milliseconds kSoon(20);
  if (const Got got = channel_.receive(frame_, kSoon); got != Got::kLate) return got;
  if (!answers(pid_, channel_.get(), patience.deadline, patience.asleep)) return Got::kLate;
  return channel_.receive(frame_, patience.deadline);
}

Asked Worker::ask(std::span<const Order> orders, const Patience& patience, int descriptor) {
  if (auto asked = try_ask(orders, patience, descriptor)) return std::move(*asked);
  return hang();
}

std::optional<Asked> Worker::try_ask(std::span<const Order> orders, const Patience& patience,
                                     int descriptor) {
  asked_ = orders.size();
  return taken(channel_.send(encode(orders), descriptor) ? receive(patience) : Got::kEnd);
}

std::optional<Asked> Worker::late_answer() {
  return taken(channel_.receive(frame_, Milliseconds(0)));
}

std::optional<Asked> Worker::taken(Got got) {
  if (got == Got::kLate) return std::nullopt;
  if (got == Got::kEnd) {
    std::string stacks = stacks_ ? stacks_->take() : "";
    return Crashed{.signal = ending(), .stacks = std::move(stacks)};
  }
  auto replies = decode_replies(frame_);
  if (replies && replies->size() == asked_) return std::move(*replies);
  kill();
  ending();
  return Crashed{.signal = "sent what is no answer", .stacks = ""};
}

void Worker::let_end(std::span<const Order> orders, const Patience& patience) {
  if (!orders.empty() && channel_.send(encode(orders)) && receive(patience) == Got::kEnd) return;
  kill();
}

Result<Workers> Workers::start(ZygoteOptions options, Interpreters others) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  auto stacks = StackFile::make();
  if (!stacks) return std::unexpected(stacks.error());
  options.stacks = stacks->descriptor();
  auto zygote = Zygote::start(options);
  if (!zygote) return std::unexpected(zygote.error());
  return Workers(std::move(*zygote), std::move(options), std::move(others), std::move(*stacks));
}

// What guides the engine, and what is planted, belongs to the subject under test.
Result<Zygote*> Workers::zygote_of(const std::string& subject) {
  if (subject.empty()) return &zygote_;
  if (const auto known = other_zygotes_.find(subject); known != other_zygotes_.end())
    return &known->second;
  const auto python = others_.find(subject);
  if (python == others_.end())
    return bad_input(
        fmt::format("a process of the program has zarr {}, which is not here", subject));
  ZygoteOptions options = options_;
  options.python = python->second;
  options.planted.clear();
  options.counters = -1;
  auto zygote = Zygote::start(options);
  if (!zygote) return std::unexpected(zygote.error());
  return &other_zygotes_.emplace(subject, std::move(*zygote)).first->second;
}

Result<Worker> Workers::lease(bool loop, const std::string& subject) {
  orphans_->reap();
  for (auto idle = idle_.begin(); idle != idle_.end(); ++idle) {
    if (idle->loop() != loop || idle->subject() != subject) continue;
    Worker worker = std::move(*idle);
    idle_.erase(idle);
    return worker;
  }
  auto zygote = zygote_of(subject);
  if (!zygote) return std::unexpected(zygote.error());
  auto born = (*zygote)->bear(loop);
  if (!born) return std::unexpected(born.error());
  return Worker(std::move(*born), loop, stacks_.get(), orphans_.get(), subject);
}

std::chrono::nanoseconds Workers::processor_time() const {
  rusage gone{};
  ::getrusage(RUSAGE_CHILDREN, &gone);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  std::chrono::nanoseconds sum = of(gone.ru_utime) + of(gone.ru_stime);
  sum += storefuzz::processor_time(zygote_.pid());
  for (const auto& [release, zygote] : other_zygotes_)
    sum += storefuzz::processor_time(zygote.pid());
  for (const Worker& worker : idle_) sum += storefuzz::processor_time(worker.pid());
  return sum;
}

bool Workers::use_once(bool once) {
  if (once) idle_.clear();
  return std::exchange(once_, once);
}

// Who was idle longest makes room: it may be of a release that programs no longer name.
void Workers::give_back(Worker worker) {
  if (once_) return;
  if (!worker.alive()) return;
  if (idle_.size() == kMostIdle) {
    const Worker gone = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
  idle_.push_back(std::move(worker));
}

Worker Workers::forked(pid_t pid, Channel channel, const Worker& parent) {
  return Worker({.pid = pid, .channel = std::move(channel)}, parent.loop(), stacks_.get(),
                orphans_.get(), parent.subject());
}

}  // namespace storefuzz::program
