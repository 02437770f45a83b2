// The place of a hang, read from what faulthandler really wrote.
#include "harness/process/stacks.h"

#include <gtest/gtest.h>

namespace storefuzz {
namespace {

// A forked child of a warm parent under zarr 3.0.1; shortened in the middle.
constexpr const char* kForkedChild = R"(Current thread 0x00007f3c1d7fe740 (most recent call first):
  File "/usr/lib/python3.13/threading.py", line 359 in wait
  File "/usr/lib/python3.13/concurrent/futures/_base.py", line 304 in wait
  File "/env/zarr-3.0.1/lib/python3.13/site-packages/zarr/core/sync.py", line 143 in sync
  File "<look sync(store.get("a", default_buffer_prototype()))>", line 1 in <module>
  File "/src/reference/side.py", line 187 in ask
  File "/src/reference/side.py", line 290 in look
  File "/src/reference/side.py", line 300 in visit
  File "/src/reference/side.py", line 400 in answer
)";

TEST(Stacks, AHungLookIsNamedWithTheInnermostFrameOfTheSubject) {
  const HangPlace place = find_hang(kForkedChild);
  EXPECT_EQ(place.frame, "zarr/core/sync.py:sync");
  EXPECT_EQ(place.doing, "`sync(store.get(\"a\", default_buffer_prototype()))`");
}

TEST(Stacks, TheThreadThatLooksIsFoundAmongOthers) {
  const std::string stacks = R"(Thread 0x00007f3c1affd640 (most recent call first):
  File "/usr/lib/python3.13/selectors.py", line 452 in select
  File "/usr/lib/python3.13/asyncio/base_events.py", line 1950 in _run_once
  File "/env/site-packages/zarr/core/sync.py", line 70 in _start_loop
  File "/usr/lib/python3.13/threading.py", line 1041 in _bootstrap_inner

Thread 0x00007f3c1b7fe640 (most recent call first):
  <no Python frame>

)" + std::string(kForkedChild);
  EXPECT_EQ(find_hang(stacks).frame, "zarr/core/sync.py:sync");
  EXPECT_NE(find_hang(stacks).doing.find("store.get"), std::string::npos);
}

TEST(Stacks, TheInnermostFrameOfTheSubjectIsThePlaceNotItsCallers) {
  EXPECT_EQ(find_hang("Current thread 0x1 (most recent call first):\n"
                      "  File \"/usr/lib/python3.13/zipfile/__init__.py\", line 5 in open\n"
                      "  File \"/env/zarr/storage/_zip.py\", line 9 in _get\n"
                      "  File \"/env/zarr/core/array.py\", line 7 in __getitem__\n"
                      "  File \"/env/zarr/core/sync.py\", line 3 in sync\n"
                      "  File \"<look store[:]>\", line 1 in <module>\n")
                .frame,
            "zarr/storage/_zip.py:_get");
}

TEST(Stacks, AStepOfOursIsToldInWords) {
  const auto in = [](const char* function) {
    return std::string(
               "Current thread 0x1 (most recent call first):\n"
               "  File \"/env/site-packages/zarr/storage/_zip.py\", line 9 in __setstate__\n"
               "  File \"/repo/reference/side.py\", line 9 in ") +
           function + "\n";
  };
  EXPECT_EQ(find_hang(in("receive")).doing, "receiving the store");
  EXPECT_EQ(find_hang(in("send_back")).doing, "sending it back");
  EXPECT_EQ(find_hang(in("pack")).doing, "packing the store");
  EXPECT_EQ(find_hang(in("pack")).frame, "zarr/storage/_zip.py:__setstate__");
}

TEST(Stacks, FatalErrorsAreReadTheSameWay) {
  const std::string stacks =
      std::string("Fatal Python error: Segmentation fault\n\n") + kForkedChild;
  EXPECT_EQ(find_hang(stacks).frame, "zarr/core/sync.py:sync");
}

TEST(Stacks, ACheckoutOrAReleaseGiveTheSamePlace) {
  for (const char* root : {"/home/me/zarr-python/src/zarr/", "/x/site-packages/zarr/", "zarr/"}) {
    const std::string stacks =
        std::string("Current thread 0x1 (most recent call first):\n  File \"") + root +
        "storage/_zip.py\", line 9 in get\n" + "  File \"<look x>\", line 1 in <module>\n";
    EXPECT_EQ(find_hang(stacks).frame, "zarr/storage/_zip.py:get") << root;
  }
}

// A user called zarr, or an environment inside a folder of that name.
TEST(Stacks, AFolderAboveThatIsCalledZarrIsNotTheSubject) {
  const std::string stacks = R"(Current thread 0x1 (most recent call first):
  File "/home/zarr/.venv/lib/python3.13/threading.py", line 359 in wait
  File "/home/zarr/.venv/lib/python3.13/site-packages/zarr/core/sync.py", line 143 in sync
  File "<look x>", line 1 in <module>
)";
  EXPECT_EQ(find_hang(stacks).frame, "zarr/core/sync.py:sync");
}

// A hook that zarr registered for forks hangs before any line of ours runs in the child.
TEST(Stacks, WhereNothingOfOursRunsTheCurrentThreadIsThePlace) {
  EXPECT_EQ(find_hang("Thread 0x2 (most recent call first):\n"
                      "  File \"/env/zarr/core/sync.py\", line 70 in _start_loop\n\n"
                      "Current thread 0x1 (most recent call first):\n"
                      "  File \"/env/zarr/core/sync.py\", line 95 in reset_resources_after_fork\n")
                .frame,
            "zarr/core/sync.py:reset_resources_after_fork");
}

TEST(Stacks, WithoutAFrameOfTheSubjectTheFrameIsEmpty) {
  EXPECT_EQ(find_hang("").frame, "");
  EXPECT_FALSE(find_hang("").doing.empty());
  EXPECT_EQ(find_hang("Current thread 0x1 (most recent call first):\n"
                      "  File \"/usr/lib/python3.13/threading.py\", line 359 in wait\n")
                .frame,
            "");
}

TEST(Stacks, AnyTextHasAPlace) {
  for (const char* text :
       {"File \"", "File \", line 3 in x", " in ", "Thread ", "File \"x\", line ",
        "Thread 0x1\n  File \"\", line 1 in \n", "Thread 0x1\n  File \"<look ",
        "Thread 0x1\n  File \"<look \", line 1 in x\n", "Thread 0x1\n, line 1 in x File \"zarr/\n"})
    EXPECT_FALSE(find_hang(text).doing.empty()) << text;
}

}  // namespace
}  // namespace storefuzz
