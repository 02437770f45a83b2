// What the engine tells a worker, and what the worker answers: one binary frame there, one back,
// for a stretch of consecutive steps of one process. No JSON, no text to parse.
//
// A frame is a 32-bit length (little-endian, as all numbers here) and that many bytes, over a
// stream socket pair; a descriptor that a fork needs travels with the frame (SCM_RIGHTS).
//
//     const std::string frame = encode(orders);
//     Result<std::vector<Reply>> replies = decode_replies(answered);
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/case/program.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

// Handles are told by slots, numbers that the engine gives and that a fork inherits. 0: none.
using Slot = std::uint16_t;

enum class Verb : std::uint8_t {
  kBegin,            // text: the case's folder, which becomes the directory; value: the address of
                     // the server that gives it, or empty. Answers None
  kMake,             // text: Python expression over `path`, `inner` and `server`; value: path; key:
                     // the words of the adapter; other: slot of `inner`; result. Answers NewHandle
  kCall,             // op, handle, key, value, start, end, other, flag, by, watched, result
  kPack,             // carrier, cargo, handle. Answers BytesValue: what travels
  kUnpack,           // carrier, cargo, value: what came; key: the words of the adapter; result.
                     // Answers NewHandle
  kCopy,             // carrier, cargo, handle, result: copied or handed over within the process
  kDrop,             // handle: forgotten, then collected
  kChangeDirectory,  // text: a folder, made if need be
  kFork,             // with a descriptor: the socket of the child. Answers its process number
  kWaitFor,          // start: process number of a forked child that ends. Answers Text: "exit 0"
  kExit,             // sys.exit(0), with all that Python does at its exit; no answer
  kQuit,             // os._exit(0); no answer
  kEnd,              // drops all handles, cleans up. Answers Names: files of the case still open
};

struct Order {
  Verb verb = Verb::kCall;
  Op op = Op::kGet;
  By by = By::kHand;
  Carrier carrier = Carrier::kPickle5;
  Cargo cargo = Cargo::kStore;
  bool watched = false, flag = false;
  bool look = false;  // at the case's folder, afterwards
  Slot handle = 0, result = 0, other = 0;
  std::int64_t start = 0, end = 0;
  std::string text, key, value;
  bool operator==(const Order&) const = default;
};

// The case's folder at one moment: path below it → bytes. A folder that holds no file is there as
// its path and a slash.
using Snapshot = std::map<std::string, Bytes>;

// What an order with `look` found in the case's folder.
enum class Looked : std::uint8_t {
  kSame,      // as this process saw it last
  kChanged,   // Reply::folder
  kTooLarge,  // to be told
};

struct Reply {
  Answer answer;
  std::vector<Snapshot> snapshots;  // of a watched call, in order; each differs from the one before
  Looked looked = Looked::kSame;
  Snapshot folder;
  bool operator==(const Reply&) const = default;
};

std::string encode(std::span<const Order> orders);
std::string encode(std::span<const Reply> replies);

// bad_input: bytes that no encode made. A worker may have been damaged by the subject: what comes
// from it is read as a stranger's.
Result<std::vector<Order>> decode_orders(std::string_view frame);
Result<std::vector<Reply>> decode_replies(std::string_view frame);

}  // namespace storefuzz::program
