// Frames between two ends of one channel.
#include "harness/wire/channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "harness/testing/shared.h"

namespace storefuzz::program {
namespace {

constexpr Milliseconds kSoon{2000};

struct Ends {
  Channel ours, theirs;
  Ends() {
    auto pair = Channel::pair();
    if (pair) std::tie(ours, theirs) = std::move(*pair);
  }
};

TEST(Channel, FramesArriveWholeAndInOrder) {
  Ends ends;
  const std::string large = test::noise(3 << 20);
  std::thread sender([&] {
    for (const std::string& frame : {std::string("one"), std::string(), large, std::string("four")})
      EXPECT_TRUE(ends.ours.send(frame));
  });
  for (const std::string& frame : {std::string("one"), std::string(), large, std::string("four")}) {
    std::string got;
    ASSERT_EQ(ends.theirs.receive(got, kSoon), Got::kFrame);
    EXPECT_EQ(got, frame);
  }
  sender.join();
}

TEST(Channel, ADescriptorTravelsWithItsFrame) {
  Ends ends;
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  ASSERT_TRUE(ends.ours.send("with", pipe[1]));
  ::close(pipe[1]);
  std::string got;
  ASSERT_EQ(ends.theirs.receive(got), Got::kFrame);
  ASSERT_GE(ends.theirs.came().get(), 0);
  EXPECT_EQ(::write(ends.theirs.came().get(), "x", 1), 1);
  ASSERT_TRUE(ends.ours.send("without"));
  ASSERT_EQ(ends.theirs.receive(got), Got::kFrame);
  EXPECT_LT(ends.theirs.came().get(), 0);
  char bytes[2];
  EXPECT_EQ(::read(pipe[0], bytes, 2), 1);
  EXPECT_EQ(::read(pipe[0], bytes, 2), 0) << "the receiver left the descriptor open";
  ::close(pipe[0]);
}

TEST(Channel, ALateFrameIsReceivedByTheNextCall) {
  Ends ends;
  std::string got;
  EXPECT_EQ(ends.theirs.receive(got, Milliseconds(20)), Got::kLate);
  const char half[] = {3, 0, 0, 0, 'a'};
  ASSERT_EQ(::send(ends.ours.get(), half, sizeof half, 0), 5);
  EXPECT_EQ(ends.theirs.receive(got, Milliseconds(20)), Got::kLate);
  ASSERT_EQ(::send(ends.ours.get(), "bc", 2, 0), 2);
  EXPECT_EQ(ends.theirs.receive(got, kSoon), Got::kFrame);
  EXPECT_EQ(got, "abc");
}

TEST(Channel, TheOtherSideMayEnd) {
  Ends ends;
  ends.ours.close();
  std::string got;
  EXPECT_EQ(ends.theirs.receive(got, kSoon), Got::kEnd);
  EXPECT_EQ(ends.theirs.receive(got), Got::kEnd);
  EXPECT_FALSE(ends.theirs.send("nobody is there"));
}

TEST(Channel, ALengthThatIsNotOursIsAnEnd) {
  Ends ends;
  const unsigned char head[] = {0xff, 0xff, 0xff, 0xff};
  ASSERT_EQ(::send(ends.ours.get(), head, sizeof head, 0), 4);
  std::string got;
  EXPECT_EQ(ends.theirs.receive(got, kSoon), Got::kEnd);
}

}  // namespace
}  // namespace storefuzz::program
