// Which keys lie below which folders.
#include "harness/case/keys.h"

#include <gtest/gtest.h>

namespace storefuzz {
namespace {

TEST(Keys, LieBelowTheFoldersAboveThem) {
  EXPECT_TRUE(lies_below("a/b/c", "a"));
  EXPECT_TRUE(lies_below("a/b/c", "a/b/"));
  EXPECT_TRUE(lies_below("a", "")) << "the root";
  EXPECT_FALSE(lies_below("a", "a"));
  EXPECT_FALSE(lies_below("a-b", "a")) << "a name that begins alike";
  EXPECT_FALSE(lies_below("a", "a/b"));
}

TEST(Keys, AreNamesOfAFolderAndAName) {
  EXPECT_EQ(joined("a", "b"), "a/b");
  EXPECT_EQ(joined("a/", "b"), "a/b");
  EXPECT_EQ(joined("", "b"), "b");
  EXPECT_EQ(joined("a", ""), "a");
  EXPECT_EQ(prefix_of_folder("a"), "a/");
  EXPECT_EQ(prefix_of_folder("a/"), "a/");
  EXPECT_EQ(prefix_of_folder(""), "");
  EXPECT_EQ(without_slash("a/"), "a");
}

TEST(Keys, OfDocumentsEndWithTheirNames) {
  EXPECT_TRUE(is_document("a/zarr.json"));
  EXPECT_TRUE(is_document(".zgroup"));
  EXPECT_FALSE(is_document("a/zarr.json/c"));
  EXPECT_FALSE(is_document("azarr.json"));
}

TEST(Keys, LieWithOthersUnlessOneRunsThroughAFile) {
  EXPECT_TRUE(can_lie_with({"a/b"}, "a/c", true));
  EXPECT_FALSE(can_lie_with({"a/b"}, "a", true));
  EXPECT_FALSE(can_lie_with({"a"}, "a/b", true));
  EXPECT_TRUE(can_lie_with({"a"}, "a/b", false)) << "an archive has no folders";
}

}  // namespace
}  // namespace storefuzz
