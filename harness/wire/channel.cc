// Frames by sendmsg and recvmsg, deadlines by poll.
#include "harness/wire/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace storefuzz::program {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kChunk = 64 * 1024;  // bytes of one recvmsg

// Room for the control message that carries one descriptor.
union Control {
  cmsghdr head;
  char bytes[CMSG_SPACE(sizeof(int))];
};

}  // namespace

Result<std::pair<Channel, Channel>> Channel::pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return machine_failure(fmt::format("no socket pair can be made: {}", std::strerror(errno)));
  const Descriptor low[] = {Descriptor(ends[0]), Descriptor(ends[1])};
  // Away from the numbers that a started program uses itself.
  Descriptor ours(::fcntl(ends[0], F_DUPFD_CLOEXEC, 10));
  Descriptor theirs(::fcntl(ends[1], F_DUPFD_CLOEXEC, 10));
  if (ours.get() < 0 || theirs.get() < 0)
    return machine_failure(fmt::format("no socket pair can be made: {}", std::strerror(errno)));
  return std::pair(Channel(std::move(ours)), Channel(std::move(theirs)));
}

bool Channel::send(std::string_view frame, int descriptor) {
  if (frame.size() > kMaxFrame) return false;
  std::uint32_t size = static_cast<std::uint32_t>(frame.size());
  iovec parts[] = {{&size, sizeof size}, {const_cast<char*>(frame.data()), frame.size()}};
  msghdr message{.msg_iov = parts, .msg_iovlen = 2};
  Control control{};
  if (descriptor >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
  }
  while (parts[0].iov_len + parts[1].iov_len > 0) {
    const ssize_t sent = ::sendmsg(get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    std::size_t left = static_cast<std::size_t>(sent);
    for (iovec& part : parts) {
      const std::size_t done = std::min(left, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + done;
      part.iov_len -= done;
      left -= done;
    }
    message.msg_control = nullptr;  // it went with the first byte
    message.msg_controllen = 0;
  }
  return true;
}

bool Channel::take_frame(std::string& into) {
  std::uint32_t size = 0;
  if (early_.size() < sizeof size) return false;
  std::memcpy(&size, early_.data(), sizeof size);
  if (early_.size() - sizeof size < size) return false;
  into.assign(early_, sizeof size, size);
  early_.erase(0, sizeof size + size);
  return true;
}

// Nothing: more was read.
std::optional<Got> Channel::read_more(bool wait) {
  static thread_local const std::unique_ptr<char[]> chunk(new char[kChunk]);
  iovec part{chunk.get(), kChunk};
  Control control{};
  msghdr message{.msg_iov = &part,
                 .msg_iovlen = 1,
                 .msg_control = control.bytes,
                 .msg_controllen = sizeof control.bytes};
  const ssize_t count = ::recvmsg(get(), &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
  if (count < 0 && errno == EINTR) return std::nullopt;
  if (count < 0 && errno == EAGAIN) return Got::kLate;
  if (count <= 0) return Got::kEnd;
  for (cmsghdr* it = CMSG_FIRSTHDR(&message); it; it = CMSG_NXTHDR(&message, it)) {
    if (it->cmsg_level != SOL_SOCKET || it->cmsg_type != SCM_RIGHTS) continue;
    int number = -1;
    std::memcpy(&number, CMSG_DATA(it), sizeof number);
    came_ = Descriptor(number);
  }
  early_.append(chunk.get(), static_cast<std::size_t>(count));
  std::uint32_t size = 0;
  std::memcpy(&size, early_.data(), std::min(early_.size(), sizeof size));
  if (early_.size() >= sizeof size && size > kMaxFrame) return Got::kEnd;
  return std::nullopt;
}

Got Channel::receive(std::string& into, std::optional<Milliseconds> deadline) {
  const auto until = Clock::now() + deadline.value_or(Milliseconds(0));
  if (early_.empty()) came_.reset();
  while (!take_frame(into)) {
    if (deadline) {
      const auto left = std::chrono::duration_cast<Milliseconds>(until - Clock::now()).count();
      pollfd ready{.fd = get(), .events = POLLIN, .revents = 0};
      const int count = ::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
      if (count == 0) return Got::kLate;
      if (count < 0 && errno != EINTR) return Got::kEnd;
      if (count < 0) continue;
    }
    const std::optional<Got> got = read_more(!deadline);
    if (got == Got::kEnd) return Got::kEnd;
  }
  return Got::kFrame;
}

void Channel::close() {
  socket_.reset();
  came_.reset();
  early_.clear();
}

}  // namespace storefuzz::program
