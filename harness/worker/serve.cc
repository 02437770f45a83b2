// The loop, and the orders that concern the process itself.
#include "harness/worker/serve.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "harness/worker/processes.h"

namespace storefuzz::program {
namespace {

// A frame must hold them. Where it cannot, the pictures of the disk are left out; then the answers.
std::string frame_of(std::vector<Reply> replies) {
  std::string frame = encode(replies);
  if (frame.size() <= kMaxFrame) return frame;
  for (Reply& reply : replies) {
    if (reply.looked == Looked::kChanged) reply.looked = Looked::kTooLarge;
    reply = {.answer = std::move(reply.answer), .looked = reply.looked};
  }
  frame = encode(replies);
  if (frame.size() <= kMaxFrame) return frame;
  for (Reply& reply : replies) reply.answer = Shown{Text{"too large"}};
  return encode(replies);
}

// Other threads of the subject run while we wait.
Got receive(Channel& channel, std::string& frame) {
  PyThreadState* state = PyEval_SaveThread();
  const Got got = channel.receive(frame);
  PyEval_RestoreThread(state);
  return got;
}

class Server {
 public:
  Server(Channel channel, Performer& performer, pid_t starter)
      : channel_(std::move(channel)), performer_(performer), starter_(starter) {}

  // One frame. False: nobody is there any more.
  bool serve_frame() {
    std::string frame;
    if (receive(channel_, frame) != Got::kFrame) return false;
    const auto orders = decode_orders(frame);
    std::vector<Reply> replies;
    if (!orders) replies.push_back({.answer = Crashed{.signal = orders.error().message}});
    for (const Order& order : orders.value_or(std::vector<Order>{}))
      if (!perform(order, replies)) return true;
    return channel_.send(frame_of(std::move(replies)));
  }

 private:
  // False: this process is another one now, to which the rest of the frame was not said.
  bool perform(const Order& order, std::vector<Reply>& replies) {
    if (order.verb == Verb::kQuit) ::_exit(0);
    if (order.verb == Verb::kExit) exit_by_python(performer_.leave_to_python());
    if (order.verb != Verb::kFork) {
      replies.push_back(performer_.perform(order));
      return true;
    }
    if (channel_.came().get() < 0) {
      replies.push_back({});
      return true;
    }
    performer_.prepare_fork();
    const pid_t pid = fork_worker(starter_);
    if (pid == 0) {
      channel_ = Channel(std::move(channel_.came()));
      performer_.begin();
      return false;
    }
    channel_.came().reset();
    replies.push_back({.answer = Shown{std::int64_t{pid}}});
    return true;
  }

  Channel channel_;
  Performer& performer_;
  pid_t starter_;
};

}  // namespace

void serve(Channel channel, Performer& performer, pid_t starter) {
  Server server(std::move(channel), performer, starter);
  while (server.serve_frame()) continue;
  ::_exit(0);
}

}  // namespace storefuzz::program
