// Names become command lines: of this build's own readers, and of those that an install.py makes,
// here one that is played.
#include "harness/readers/install.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "harness/base/paths.h"
#include "harness/campaign/subject.h"
#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

constexpr const char* kInstall = R"(
import json, sys
name = sys.argv[1]
if name == "unready":
    sys.exit(1)
if name == "lacking":
    print("making …", file=sys.stderr)
    print("It needs Node.", file=sys.stderr)
    sys.exit(3)
if name == "zarr==9":
    print("9 is no release.", file=sys.stderr)
    sys.exit(2)
if name == "mute":
    sys.exit(0)
if name == "odd":
    print('["python", 3]')
    sys.exit(0)
print(json.dumps(["python", "reader of", name]))
)";

// What storefuzz takes for its sources, as long as this object is there.
class Sources {
 public:
  Sources() {
    std::filesystem::create_directories(folder_.path() / "reference/readers");
    folder_.write("reference/readers/install.py", kInstall);
    folder_.write("reference/readers/readers.json",
                  R"({"readers": [{"name": "zarr"}, {"name": "lacking"}, {"name": "mute"},
                                  {"name": "odd"}, {"name": "unready"}]})");
    if (const char* home = std::getenv("STOREFUZZ_HOME")) before_ = home;
    ::setenv("STOREFUZZ_HOME", folder_.path().c_str(), 1);
  }
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;
  ~Sources() {
    if (before_.empty())
      ::unsetenv("STOREFUZZ_HOME");
    else
      ::setenv("STOREFUZZ_HOME", before_.c_str(), 1);
  }

 private:
  test::Folder folder_;
  std::string before_;
};

Error error_of(const std::vector<std::string>& names) {
  auto commands = reader_commands(names);
  if (commands) return {.code = ExitCode::kNothingNew, .message = "no error"};
  return commands.error();
}

TEST(Install, OwnReadersAreTheProgramBesideThisOne) {
  const auto commands = reader_commands({"libarchive-seeking", "libzip"});
  ASSERT_TRUE(commands) << commands.error().message;
  ASSERT_EQ(commands->size(), 2U);
  const std::string path = built_program("storefuzz-reader");
  EXPECT_EQ((*commands)[0].arguments, (std::vector<std::string>{path, "libarchive-seeking"}));
  EXPECT_EQ((*commands)[1].name, "libzip");
  EXPECT_FALSE((*commands)[1].packs);
}

TEST(Install, OthersAreWhatInstallSays) {
  const Sources sources;
  const auto commands = reader_commands({"zarr==3.0.2"});
  ASSERT_TRUE(commands) << commands.error().message;
  ASSERT_EQ(commands->size(), 1U);
  EXPECT_EQ((*commands)[0].name, "zarr");
  EXPECT_TRUE((*commands)[0].packs);
  EXPECT_EQ((*commands)[0].arguments,
            (std::vector<std::string>{"python", "reader of", "zarr==3.0.2"}));
}

TEST(Install, UnknownNamesAreToldWithTheKnownOnes) {
  for (const char* name : {"nobody", "", "libzip==1", "zarr=3"}) {
    const Error error = error_of({"libzip", name});
    EXPECT_EQ(error.code, ExitCode::kBadInput) << name;
    EXPECT_EQ(error.message, "There is no reader " + std::string(name) +
                                 "; known are libzip, libzip-checked, libarchive, "
                                 "libarchive-seeking, zarr, tensorstore, zarrita, zarrista, gdal.");
  }
  EXPECT_EQ(error_of({"zarr==3.0.2", "zarr"}).message, "The reader zarr is named twice.");
}

TEST(Install, FailuresKeepTheirKindAndSentence) {
  const Sources sources;
  EXPECT_EQ(error_of({"zarr==9"}).code, ExitCode::kBadInput);
  EXPECT_EQ(error_of({"zarr==9"}).message, "9 is no release.");
  EXPECT_EQ(error_of({"lacking"}).code, ExitCode::kMachine);
  EXPECT_EQ(error_of({"lacking"}).message, "It needs Node.");
  EXPECT_EQ(error_of({"unready"}).code, ExitCode::kMachine);
  EXPECT_EQ(error_of({"unready"}).message, "install.py unready failed: exit 1");
  EXPECT_EQ(error_of({"mute"}).message, "install.py said nothing of use");
  EXPECT_EQ(error_of({"odd"}).message, "install.py said nothing of use");
}

TEST(Install, AllThatAreListedAreKnown) {
  const auto names = all_readers();
  ASSERT_TRUE(names);
  EXPECT_EQ(names->front(), "libzip");
  for (const char* name : {"zarr", "gdal"}) EXPECT_EQ(std::ranges::count(*names, name), 1) << name;
}

}  // namespace
}  // namespace storefuzz
