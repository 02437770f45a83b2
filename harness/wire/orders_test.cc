// There and back, and bytes that no encode made.
#include "harness/wire/orders.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "harness/testing/shared.h"

namespace storefuzz::program {
namespace {

std::vector<Order> some_orders() {
  Order call{.verb = Verb::kCall,
             .op = Op::kMembers,
             .by = By::kSync,
             .carrier = Carrier::kInherited,
             .cargo = Cargo::kGroup,
             .watched = true,
             .flag = true,
             .handle = 1,
             .result = 65535,
             .other = 3,
             .start = std::numeric_limits<std::int64_t>::min(),
             .end = std::numeric_limits<std::int64_t>::max(),
             .text = std::string("a\0b", 3),
             .key = "\xff/key",
             .value = test::noise(70'000)};
  return {call, Order{}, Order{.verb = Verb::kEnd}};
}

// One of each answer.
std::vector<Reply> some_replies() {
  const Answer answers[] = {
      Absent{},
      Shown{None{}},
      Shown{true},
      Shown{std::int64_t{-7}},
      Shown{BytesValue{std::string("\0\xff", 2)}},
      Shown{Names{{"", "a/b"}}},
      Shown{BytesList{{std::nullopt, "x"}}},
      Shown{Text{"text"}},
      Shown{Numbers{{1, -1}}},
      Shown{Attributes{{{"name", "value"}}}},
      Shown{NewHandle{"ZipStore"}},
      Refusal{"ValueError", "no", "zarr/storage/_zip.py:get"},
      Crashed{"SIGSEGV", "stacks"},
      TimedOut{"stacks"},
  };
  std::vector<Reply> replies;
  for (const Answer& answer : answers) replies.push_back({answer, {}});
  replies.back().snapshots = {{}, {{"z.zip", "PK"}, {"l/a", ""}}};
  return replies;
}

TEST(Orders, ComeBackAsTheyWere) {
  EXPECT_EQ(decode_orders(encode(some_orders())).value(), some_orders());
  EXPECT_EQ(decode_orders(encode(std::span<const Order>{})).value(), std::vector<Order>{});
}

TEST(Orders, RepliesComeBackAsTheyWere) {
  EXPECT_EQ(decode_replies(encode(some_replies())).value(), some_replies());
}

TEST(Orders, AFrameSaysWhatItHolds) {
  EXPECT_FALSE(decode_replies(encode(some_orders())));
  EXPECT_FALSE(decode_orders(encode(some_replies())));
}

TEST(Orders, EveryTruncatedFrameIsRefused) {
  const std::string orders = encode(std::vector<Order>{{.text = "text", .key = "key"}, {}});
  for (std::size_t size = 0; size < orders.size(); ++size)
    EXPECT_FALSE(decode_orders(orders.substr(0, size))) << size;
  const std::string replies = encode(some_replies());
  for (std::size_t size = 0; size < replies.size(); ++size)
    EXPECT_FALSE(decode_replies(replies.substr(0, size))) << size;
  EXPECT_FALSE(decode_replies(replies + '\0'));
}

// Whatever the bytes are: refused, or a value that encodes to the same bytes.
TEST(Orders, HostileFramesAreRefusedOrMeanOneThing) {
  std::mt19937 random(1);
  const std::string sound[] = {encode(some_orders()).substr(0, 400), encode(some_replies())};
  std::size_t accepted = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string frame = sound[random() % 2];
    if (i % 4 == 0) {
      const auto bytes = test::random_bytes(static_cast<unsigned>(i), random() % 80);
      frame.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      if (!frame.empty()) frame[0] = random() % 2 == 0 ? 'O' : 'R';
    }
    for (auto flips = random() % 4; flips > 0 && !frame.empty(); --flips)
      frame[random() % frame.size()] = static_cast<char>(random() % 4 == 0 ? random() : 1);
    if (const auto orders = decode_orders(frame)) {
      EXPECT_EQ(encode(*orders), frame);
      ++accepted;
    }
    if (const auto replies = decode_replies(frame); replies) {
      EXPECT_EQ(decode_replies(encode(*replies)).value(), *replies);  // a file may be named twice
      ++accepted;
    }
  }
  EXPECT_GT(accepted, 1000u);
}

// A count promises less memory than its bytes could give.
TEST(Orders, HugeCountsAreRefused) {
  for (const char kind : {'O', 'R'}) {
    const std::string frame = std::string(1, kind) + "\xff\xff\xff\x7f" + std::string(1000, '\0');
    EXPECT_FALSE(decode_orders(frame));
    EXPECT_FALSE(decode_replies(frame));
  }
}

}  // namespace
}  // namespace storefuzz::program
