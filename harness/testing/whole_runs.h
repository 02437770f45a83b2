// What the tests of whole runs share: environments of releases, the storefuzz command, and what a
// run left behind. For tests only.
//
//     e2e::Running run("storefuzz", {"run", "--zarr", "3.0.1"});
//     EXPECT_EQ(run.wait(), "exit 1") << run.complained();
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "harness/base/paths.h"
#include "harness/campaign/run_directory.h"
#include "harness/campaign/subject.h"
#include "harness/oracles/oracle.h"
#include "harness/process/process.h"
#include "harness/process/scratch.h"
#include "harness/testing/shared.h"

namespace storefuzz::e2e {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

inline constexpr const char* kNewest = "3.4.2";
inline constexpr Milliseconds kPatient{10'000};  // a deadline that a busy machine keeps as well

// A test that cannot even begin ends its program: nothing it could say would be about the subject.
template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::abort();
}

inline const std::string& python(const std::string& release) {
  static std::map<std::string, std::string> known;
  std::string& path = known[release];
  if (path.empty()) path = must(find_subject({.zarr = release}, true)).python;
  return path;
}

// The newest zarr with all that stores and carriers can ask for.
inline const std::string& full_python() {
  static const std::string path =
      must(find_subject({.zarr = kNewest, .with = {"dask", "icechunk", "virtualizarr"}}, true))
          .python;
  return path;
}

// Gone when the program ends in an orderly way.
inline const fs::path& scratch() {
  static const Scratch folder = must(Scratch::make());
  return folder.path();
}

inline void must(Result<void> result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::abort();
}

inline Json read_json(const fs::path& file) {
  return Json::parse(test::read_file(file), nullptr, false);
}

inline std::vector<Json> read_lines(const fs::path& file) {
  std::vector<Json> lines;
  std::istringstream text(test::read_file(file));
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  return lines;
}

inline std::string oracles_but(const std::set<std::string>& kept) {
  std::string list;
  for (const program::Oracle& oracle : program::oracles())
    if (!kept.contains(std::string(oracle.name)))
      list += (list.empty() ? "" : ",") + std::string(oracle.name);
  return list;
}

// A name for a parametrised test: letters, digits and single underscores.
inline std::string test_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      name += c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  return name;
}

// --- the command

// A program of this build, started in a folder and with a TMPDIR of its own; what it says goes to
// two files.
class Running {
 public:
  Running(const std::string& program_name, std::vector<std::string> arguments,
          std::map<std::string, std::string> environment = {}) {
    fs::create_directory(temporary());
    std::vector<std::string> all{"/bin/sh", "-c", R"(exec "$@" >"$OUT/said" 2>"$OUT/complained")",
                                 "sh", built_program(program_name).string()};
    std::ranges::move(arguments, std::back_inserter(all));
    environment.try_emplace("TMPDIR", temporary().string());
    environment["OUT"] = folder_.path().string();
    process_.emplace(must(Process::start({.arguments = std::move(all),
                                          .environment = std::move(environment),
                                          .directory = folder_.path().string(),
                                          .frames = false})));
    pid_ = process_->pid();
  }

  pid_t pid() const { return pid_; }
  const fs::path& folder() const { return folder_.path(); }
  fs::path temporary() const { return folder_.path() / "tmp"; }
  void signal(int number) const { ::kill(pid_, number); }

  // "exit 0", a signal's name, or "" when it goes on.
  std::string wait(Milliseconds deadline = Milliseconds(400'000)) {
    return process_->wait_for_end(deadline);
  }
  std::string said() const { return test::read_file(folder() / "said"); }
  std::string complained() const { return test::read_file(folder() / "complained"); }

 private:
  test::Folder folder_;
  std::optional<Process> process_;
  pid_t pid_ = -1;
};

// --- what is left behind

// Processes whose environment or arguments name `text`, such as a run's scratch folder. Zombies
// have neither and are looked for by parent().
inline std::vector<pid_t> processes_with(const std::string& text) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || pid == ::getpid()) continue;
    const std::string whole = test::read_file(entry.path() / "environ") + '\0' +
                              test::read_file(entry.path() / "cmdline");
    if (whole.find(text) != whole.npos) found.push_back(pid);
  }
  return found;
}

// The fuzz processes and workers of the run with this pid, and all below them.
inline std::vector<pid_t> processes_of_run(pid_t run) {
  return processes_with("/dev/shm/storefuzz-" + std::to_string(run) + "-");
}

inline std::vector<std::string> scratch_of_run(pid_t run) {
  std::vector<std::string> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/dev/shm", error))
    if (entry.path().filename().string().starts_with("storefuzz-" + std::to_string(run) + "-"))
      found.push_back(entry.path().string());
  return found;
}

inline bool within(Milliseconds deadline, const std::function<bool()>& it) {
  for (const auto until = Clock::now() + deadline; Clock::now() < until;) {
    if (it()) return true;
    std::this_thread::sleep_for(Milliseconds(50));
  }
  return it();
}

}  // namespace storefuzz::e2e
