// A stranger's adapter that raises, hangs, leaves or is killed: while its file is read, and in the
// process that plays cases. Each is one sentence, in time.
#include <gtest/gtest.h>
#include <signal.h>

#include "harness/base/paths.h"
#include "harness/campaign/subject.h"
#include "harness/play/program_session.h"
#include "harness/play/settings.h"
#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

struct Odd {
  const char* name;
  const char* source;  // of a module odd.py
  const char* told;    // within the sentence
};

std::string name_of_odd(const testing::TestParamInfo<Odd>& info) { return info.param.name; }

// --- its file is read

class AdapterFile : public testing::TestWithParam<Odd> {};

TEST_P(AdapterFile, GivesASentence) {
  const test::Folder folder;
  const auto file = folder.write("odd.py", GetParam().source);
  // Enough for a file that imports nothing, even on a busy machine.
  auto read = read_adapter(file, e2e::python(e2e::kNewest), Milliseconds(2000));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ExitCode::kBadInput);
  EXPECT_EQ(read.error().message, file.string() + GetParam().told);
  EXPECT_TRUE(e2e::within(Milliseconds(1000), [&] {
    return e2e::processes_with(file.string()).empty();
  })) << "a process remains";
}

INSTANTIATE_TEST_SUITE_P(
    Each, AdapterFile,
    testing::Values(
        Odd{"Hangs", "import time\ntime.sleep(1000)",
            " gives no STORE: its import does not end within 2 s"},
        Odd{"HangsInAFork", "import os, time\nos.fork()\ntime.sleep(1000)",
            " gives no STORE: its import does not end within 2 s"},
        Odd{"Exits", "import sys\nsys.exit(3)", " gives no STORE: SystemExit: 3"},
        Odd{"Leaves", "import os\nprint('bye')\nos._exit(0)",
            " gives no STORE: its import ends the process (exit 0)"},
        Odd{"IsKilled", "import os\nos.kill(os.getpid(), 9)",
            " gives no STORE: its import ends the process (SIGKILL)"},
        Odd{"RaisesManyLines", "raise ValueError('first\\nsecond\\nthird')",
            " gives no STORE: ValueError: first"},
        Odd{"RaisesNothing", "raise RuntimeError", " gives no STORE: RuntimeError"},
        Odd{"IsNoPython", "STORE = {",
            " gives no STORE: SyntaxError: '{' was never closed (odd.py, line 1)"},
        Odd{"HasNone", "x = 1", " gives no STORE: that name is not in it"},
        Odd{"IsNoJson", "STORE = {'kind': object}",
            " gives no STORE: TypeError: Object of type type is not JSON serializable"}),
    name_of_odd);

TEST(AdapterFile, MayPrintAndStartAThreadThatNeverEnds) {
  const test::Folder folder;
  folder.write("beside.py", "KIND = 'odd'");
  const auto file = folder.write("odd.py",
                                 "import beside, threading, time\n"
                                 "threading.Thread(target=time.sleep, args=(1000,)).start()\n"
                                 "print('{\"store\": 5}')\n"
                                 "STORE = {'kind': beside.KIND}\n");
  auto read = read_adapter(file, e2e::python(e2e::kNewest));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, Json::array({{{"kind", "odd"}, {"file", file.string()}}}));
}

// --- a session starts

class AdapterInSession : public testing::TestWithParam<Odd> {};

// A session over the store of this file, whose module is `odd`.
Result<std::unique_ptr<ProgramSession>> session_over(const std::filesystem::path& file,
                                                     const std::filesystem::path& scratch) {
  const Json adapter{{"kind", "odd"},
                     {"type", "Odd"},
                     {"make", "odd.Odd({path})"},
                     {"imports", {"import odd"}},
                     {"file", file.string()}};
  // It joins the stores of this process once; sessions are told where its file lies.
  static const bool added = add_adapters(Json::array({adapter})).has_value();
  EXPECT_TRUE(added);
  Settings settings;
  settings.python = e2e::python(e2e::kNewest);
  settings.scratch = scratch.string();
  settings.stores = "odd";
  settings.adapters = text_of(Json::array({adapter}));
  settings.deadline = "300";
  return ProgramSession::start(settings);
}

TEST_P(AdapterInSession, GivesASentence) {
  const test::Folder folder;
  const auto file = folder.write("odd.py", GetParam().source);
  const auto session = session_over(file, folder.path());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ExitCode::kBadInput);
  EXPECT_EQ(session.error().message,
            std::string("the store \"odd\" of odd.py cannot be made: ") + GetParam().told);
  EXPECT_TRUE(e2e::within(Milliseconds(1000), [&] {
    return e2e::processes_with(file.string()).empty();
  })) << "a process remains";
}

INSTANTIATE_TEST_SUITE_P(
    Each, AdapterInSession,
    testing::Values(
        Odd{"Hangs", "import time\nclass Odd:\n    def __init__(self, path): time.sleep(1000)",
            "its constructor does not end"},
        Odd{"IsKilled",
            "import os\nclass Odd:\n    def __init__(self, path): os.kill(os.getpid(), 9)",
            "its constructor ends the process (SIGKILL)"},
        Odd{"Exits", "import sys\nclass Odd:\n    def __init__(self, path): sys.exit(3)",
            "SystemExit: 3"},
        Odd{"RaisesManyLines",
            "class Odd:\n    def __init__(self, path): raise ValueError('first\\nsecond')",
            "ValueError: first"}),
    name_of_odd);

// A thread that a module starts is not there in a fork: it must not make the trial hang.
TEST(AdapterInSession, MayNeedAThreadOfItsModule) {
  const test::Folder folder;
  const auto file = folder.write("odd.py", R"py(
import queue, threading
import zarr.storage
asked, answers = queue.Queue(), queue.Queue()
def work():
    while True:
        answers.put(asked.get())
threading.Thread(target=work, daemon=True).start()
class Odd(zarr.storage.LocalStore):
    def __init__(self, path):
        asked.put(path)
        super().__init__(answers.get())
)py");
  const auto session = session_over(file, folder.path());
  EXPECT_TRUE(session) << session.error().message;
}

}  // namespace
}  // namespace storefuzz
