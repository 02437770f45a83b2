// See commits.h.
#include "harness/campaign/commits.h"

#include <fmt/format.h>

#include <tuple>
#include <utility>

#include "harness/base/text.h"
#include "harness/process/process.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kDeadline{3'600'000};  // of the whole bisection
constexpr const char* kInterrupted = "interrupted: no commit is told";

// A name that begins with a dash would be an option of git.
bool is_name(std::string_view commit) { return !commit.empty() && !commit.starts_with('-'); }

class Bisection {
 public:
  explicit Bisection(const CommitsOptions& options)
      : options_(options), clone_(options.scratch / "commits") {}

  Result<std::string> run() {
    const std::string checkout = fs::absolute(options_.checkout).string();
    // Names of branches are those of the checkout; the clone has others.
    auto good = git({"-C", checkout, "rev-parse", "--verify", "-q", options_.good + "^{commit}"});
    if (!good) return bad_input(fmt::format("{} has no commit {}", checkout, options_.good));
    auto bad = git({"-C", checkout, "rev-parse", "--verify", "-q", options_.bad + "^{commit}"});
    if (!bad) return bad_input(fmt::format("{} has no commit {}", checkout, options_.bad));
    // A bisection moves the files of a tree about: it has a clone, which shares the objects.
    if (auto made = git({"clone", "-q", "--shared", "--no-checkout", checkout, clone_.string()});
        !made)
      return made;
    if (auto begun = in_clone({"bisect", "start", first_line(*bad), first_line(*good), "--"});
        !begun)
      return begun;
    // git tries neither end, and would tell some commit where they do not differ.
    if (auto shown = ends_differ(first_line(*good), first_line(*bad)); !shown)
      return std::unexpected(shown.error());
    if (auto found = in_clone({"bisect", "run", "/bin/sh", "-c", replay()}); !found) return found;
    auto commit = in_clone({"show", "-s", "--format=%h %as %s", "refs/bisect/bad"});
    if (!commit) return commit;
    return first_line(*commit);
  }

 private:
  // As sh reads it.
  static std::string quote(std::string_view word) {
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
  }
  static std::vector<std::string> quoted(const std::vector<std::string>& words) {
    std::vector<std::string> all;
    for (const std::string& word : words) all.push_back(quote(word));
    return all;
  }

  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  std::string replay() const {
    return fmt::format("{} {}; code=$?; test $code -le 1 && exit $code; exit 125",
                       fmt::join(quoted(options_.replay), " "), quote(clone_.string()));
  }

  Result<void> ends_differ(const std::string& good, const std::string& bad) {
    for (const auto& [commit, code, word] :
         {std::tuple(good, 0, "does not show it"), std::tuple(bad, 1, "shows it")}) {
      if (auto there = in_clone({"checkout", "-q", commit}); !there)
        return std::unexpected(there.error());
      auto done = run_to_end({.arguments = {"/bin/sh", "-c", replay()}, .frames = false}, kDeadline,
                             options_.stop);
      if (!done) return std::unexpected(done.error());
      if (stopped()) return machine_failure(kInterrupted);
      if (done->exit_code != code)
        return bad_input(fmt::format("the commit {:.12} should be one that {}, and is not ({})",
                                     commit, word, done->end));
    }
    return {};
  }

  bool stopped() const { return options_.stop && options_.stop(); }

  Result<std::string> in_clone(std::vector<std::string> words) {
    words.insert(words.begin(), {"-C", clone_.string()});
    return git(std::move(words));
  }

  // What git says. An Error says it as well.
  Result<std::string> git(std::vector<std::string> words) {
    words.insert(words.begin(), "git");
    auto done =
        run_to_end({.arguments = std::move(words), .frames = false}, kDeadline, options_.stop);
    if (!done) return std::unexpected(done.error());
    if (stopped()) return machine_failure(kInterrupted);
    if (done->end != "exit 0")
      return bad_input(fmt::format("git: {}", printable(last_line(done->output).last)));
    return done->output;
  }

  const CommitsOptions& options_;
  const fs::path clone_;
};

}  // namespace

Result<std::pair<std::string, std::string>> parse_range(std::string_view range) {
  const std::size_t dots = range.find("..");
  const std::string_view good = range.substr(0, dots);
  const std::string_view bad = dots == range.npos ? range : range.substr(dots + 2);
  if (dots == range.npos || !is_name(good) || !is_name(bad) || bad.starts_with('.'))
    return bad_input(
        fmt::format("--commits wants GOOD..BAD, as v3.0.1..main, not \"{}\"", shorten(range, 80)));
  return std::pair(std::string(good), std::string(bad));
}

Result<std::string> first_bad_commit(const CommitsOptions& options) {
  return Bisection(options).run();
}

}  // namespace storefuzz
