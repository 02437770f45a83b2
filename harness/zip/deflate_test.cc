// What was deflated comes back; what is no such stream, or is too long, is told.
#include "harness/zip/deflate.h"

#include <gtest/gtest.h>

#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

constexpr std::size_t kPlenty = 1 << 20;

TEST(Deflated, ComesBack) {
  for (const std::string& value : {std::string(), std::string("x"), std::string(100'000, 'v'),
                                   test::noise(511), test::noise(100'000)}) {
    const Decompressed again = decompressed(deflated(value), kPlenty);
    EXPECT_TRUE(again.whole);
    EXPECT_EQ(again.bytes, value);
  }
}

TEST(Decompressed, TellsHowFarItCame) {
  const std::string value(100'000, 'v');
  const std::string packed = deflated(value);
  const Decompressed whole = decompressed(packed + "behind", kPlenty);
  EXPECT_TRUE(whole.whole);
  EXPECT_FALSE(whole.broken);
  EXPECT_EQ(whole.taken, packed.size());
  EXPECT_EQ(whole.bytes, value);
  const Decompressed cut = decompressed(packed.substr(0, packed.size() / 2), kPlenty);
  EXPECT_FALSE(cut.whole);
  EXPECT_TRUE(value.starts_with(cut.bytes));
  const Decompressed bounded = decompressed(packed, 10);
  EXPECT_FALSE(bounded.whole);
  EXPECT_FALSE(bounded.broken);
  EXPECT_LE(bounded.bytes.size(), 10 + 32768);
  EXPECT_TRUE(decompressed("\xff\xff\xff", kPlenty).broken);
  EXPECT_FALSE(decompressed("", kPlenty).whole);
}

}  // namespace
}  // namespace storefuzz
