// One end of a stream socket pair over which frames go: a 32-bit length and that many bytes, and
// with them, where need be, a descriptor (SCM_RIGHTS, unix(7)).
//
// One `sendmsg` a frame, as a rule, and one `recvmsg`: what came too early stays for the next call.
//
//     auto [ours, theirs] = *Channel::pair();
//     ours.send(encode(orders), child_socket);
//     if (ours.receive(frame, Milliseconds(200)) == Got::kLate) …
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "harness/base/error.h"
#include "harness/process/process.h"

namespace storefuzz::program {

inline constexpr std::uint32_t kMaxFrame = 64 << 20;  // bytes; a longer frame is not from us

// What became of an attempt to receive: a frame; the end (the other side is gone, or sent what is
// no frame); nothing before the deadline.
enum class Got { kFrame, kEnd, kLate };

class Channel {
 public:
  Channel() = default;
  explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}

  // Two ends that are connected; closed at exec, numbered 10 or higher.
  static Result<std::pair<Channel, Channel>> pair();

  // Sends a frame. False: the other side is gone, or the frame is too long. The descriptor stays
  // open here.
  bool send(std::string_view frame, int descriptor = -1);

  // Receives a frame; a late one may have begun, and is received on by the next call. No deadline:
  // it waits until the other side speaks or ends.
  Got receive(std::string& into, std::optional<Milliseconds> deadline = std::nullopt);

  // The descriptor that came with the last frame; closed by the next `receive`.
  Descriptor& came() { return came_; }

  int get() const { return socket_.get(); }  // for poll
  bool open() const { return socket_.get() >= 0; }
  void close();

 private:
  bool take_frame(std::string& into);
  std::optional<Got> read_more(bool wait);

  Descriptor socket_, came_;
  std::string early_;  // bytes received, not yet taken
};

}  // namespace storefuzz::program
