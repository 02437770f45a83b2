// The text that makes a store is what a user would have typed: nothing that is usual is said.
#include "harness/case/construct.h"

#include <gtest/gtest.h>

#include "harness/base/paths.h"
#include "harness/campaign/subject.h"
#include "harness/process/process.h"
#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

std::string text_of(const char* word, const Constructor& made = {}, bool archive = true) {
  Case value{.store = test::store(word), .constructor = made};
  if (archive) value.archive = Archive{.entries = {{.key = "a", .value = "x"}}};
  normalise(value);
  return constructor_text(value);
}

const Constructor kRelative{.relative_path = true};

TEST(Construct, IsWhatAUserWouldType) {
  const std::pair<const char*, const char*> all[] = {
      {"zip", R"(zarr.storage.ZipStore("store.zip", mode="r"))"},
      {"zip file", R"(zarr.storage.ZipStore(open("store.zip", "rb"), mode="r"))"},
      {"local", R"(zarr.storage.LocalStore("store"))"},
      {"directory", R"(zarr.storage.DirectoryStore("store"))"},
      {"memory", "zarr.storage.MemoryStore()"},
      {"managed memory", R"(zarr.storage.ManagedMemoryStore("t"))"},
      {"fsspec memory", R"(zarr.storage.FsspecStore.from_url("memory://store"))"},
      {"fsspec zip", R"(zarr.storage.FsspecStore.from_url("zip://::file://" + "store.zip"))"},
      {"object memory", "zarr.storage.ObjectStore(obstore.store.MemoryStore())"},
      {"logging over zip",
       R"(zarr.storage.LoggingStore(zarr.storage.ZipStore("store.zip", mode="r"), )"
       R"(log_level="CRITICAL"))"},
      {"path over wrapper over memory",
       "zarr.storage.StorePath(zarr.storage.WrapperStore(zarr.storage.MemoryStore()))"},
      {"cache over local",
       R"(zarr.experimental.cache_store.CacheStore(zarr.storage.LocalStore("store"), )"
       "cache_store=zarr.storage.MemoryStore())"},
  };
  for (const auto& [word, text] : all) EXPECT_EQ(text_of(word, kRelative), text) << word;
}

TEST(Construct, APathIsAbsoluteUnlessTheCaseSaysOtherwise) {
  EXPECT_EQ(text_of("zip"), R"(zarr.storage.ZipStore(os.path.abspath("store.zip"), mode="r"))");
  EXPECT_EQ(text_of("local"), R"(zarr.storage.LocalStore(os.path.abspath("store")))");
}

TEST(Construct, NamesEveryArgumentThatIsNotUsual) {
  const Constructor odd{.relative_path = true,
                        .mode = Mode::kAppend,
                        .read_only = true,
                        .compression = Compression::kDeflated,
                        .allow_zip64 = false};
  EXPECT_EQ(text_of("zip", odd),
            R"(zarr.storage.ZipStore("store.zip", mode="a", compression=zipfile.ZIP_DEFLATED, )"
            "allowZip64=False, read_only=True)");
  EXPECT_EQ(text_of("local", odd), R"(zarr.storage.LocalStore("store", read_only=True))");
  EXPECT_EQ(text_of("memory", odd), "zarr.storage.MemoryStore(read_only=True)");
  EXPECT_EQ(text_of("logging over memory", odd),
            R"(zarr.storage.LoggingStore(zarr.storage.MemoryStore(read_only=True), )"
            R"(log_level="CRITICAL"))");
}

// Writable is what every store is unless it is told otherwise; but ZipStore is told by its mode.
TEST(Construct, LeavesOutWhatIsUsual) {
  const Constructor writable{.relative_path = true, .mode = Mode::kWrite, .read_only = false};
  EXPECT_EQ(text_of("local", writable), R"(zarr.storage.LocalStore("store"))");
  EXPECT_EQ(text_of("zip", writable),
            R"(zarr.storage.ZipStore("store.zip", mode="w", read_only=False))");
}

TEST(Construct, TheModeOfAFileServesTheModeOfItsStore) {
  const auto file = [](Mode mode, bool archive) {
    const std::string text = text_of("zip file", {.relative_path = true, .mode = mode}, archive);
    const std::size_t from = text.find(", \"") + 3;
    return text.substr(from, text.find('"', from) - from);
  };
  EXPECT_EQ(file(Mode::kRead, true), "rb");
  EXPECT_EQ(file(Mode::kWrite, true), "w+b");
  EXPECT_EQ(file(Mode::kAppend, true), "r+b");
  EXPECT_EQ(file(Mode::kAppend, false), "w+b") << "there is nothing to be opened";
  EXPECT_EQ(file(Mode::kExclusive, false), "x+b");
}

TEST(Construct, APlaceIsAFileOrAFolder) {
  const auto place = [](const char* word) { return place_text({.store = test::store(word)}); };
  EXPECT_EQ(place("zip"), "\"store.zip\"");
  EXPECT_EQ(place("cache over fsspec zip"), "\"store.zip\"");
  EXPECT_EQ(place("local"), "\"store\"");
}

TEST(Construct, TheRequestSaysAllThatSideNeeds) {
  const Case value{.store = test::store("path over object memory")};
  const Json request = store_request(value);
  EXPECT_EQ(request["make"], constructor_text(value));
  EXPECT_EQ(request["imports"], Json(value.store->imports));
  EXPECT_EQ(request["before"], value.store->before);
  EXPECT_EQ(request["clean"], value.store->clean);
  EXPECT_EQ(request["interface"], "zarr 3 path");
  EXPECT_EQ(request["waits"], value.store->waits);
}

// For every store and any constructor: nothing unfilled, no empty argument, and Python.
TEST(Construct, IsPythonForEveryStore) {
  std::string script;
  for (const StoreKind kind : test::every_store())
    for (unsigned seed = 0; seed < 40; ++seed) {
      Case value = test::wild_case(seed);
      value.store = kind;
      normalise(value);
      const std::string text = constructor_text(value);
      for (const char* left : {"{path}", "{inner}", "{arguments}", "{file mode}", "(,", ", ,"})
        ASSERT_EQ(text.find(left), text.npos) << text;
      script += "lambda: " + text + "\n";
    }
  const test::Folder folder;
  folder.write("all.py", script);
  const Command command{
      .arguments = {tools_python(), "-c", "compile(open('all.py').read(), 'all.py', 'exec')"},
      .directory = folder.path()};
  const auto finished = run_to_end(command, Milliseconds(60'000));
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->exit_code, 0) << finished->output;
}

}  // namespace
}  // namespace storefuzz
