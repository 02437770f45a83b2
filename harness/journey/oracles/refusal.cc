// refusal: is every error of a fitting type, and of the same type on both sides? AttributeError,
// IndexError, RecursionError and their like tell a broken store, never an answer to a question.
#include <fmt/format.h>

#include "harness/journey/oracles/all.h"

namespace storefuzz {
namespace {

class Judge {
 public:
  Judge(const Case& value, const Expectation& expected, const Observations& seen)
      : value_(value), expected_(expected), seen_(seen) {}

  std::vector<Disagreement> run() {
    check_operations();
    check_packed();
    check_received();
    check_looks(seen_.parent, "parent");
    check_looks(seen_.child, "child");
    check_looks(seen_.returned, "returned");
    check(seen_.child.sent_back, "sending back", "pickling", "child");
    check(seen_.child.left, "close", "`close()` after receiving", "child");
    check(seen_.parent.left, "close", "`close()`", "parent");
    compare_types();
    return std::move(found_);
  }

 private:
  // Any answer: AttributeError and its like are never right.
  void check(const Answer& answer, const std::string& field, const std::string& what,
             const std::string& side, int look = -1, int operation = -1) {
    const Refused* no = refused(answer);
    if (!no || !unfitting(*no)) return;
    const std::string told = no->lost.empty() ? no->text : fmt::format("no `{}`", no->lost);
    found_.push_back({.oracle = "refusal",
                      .field = field,
                      .wrong = "raises " + no->type,
                      .headline = fmt::format("{} of {} {} raises {}: {}", what, mood(),
                                              store_name(value_), no->type, told),
                      .parent = {},
                      .child = answer,
                      .side = side,
                      .lost = no->lost,
                      .step = look < 0 && operation < 0 ? field : "",
                      .look = look,
                      .operation = operation});
  }

  std::string mood() const {
    if (ends_open(value_.lifecycle)) return "an open";
    return value_.lifecycle == Lifecycle::kClosed ? "a closed" : "a never opened";
  }

  std::string of_mode() const {
    if (!value_.store->takes("mode")) return "";
    return fmt::format(" of mode `{}`", name_of(value_.constructor.mode));
  }

  void check_operations() {
    const std::vector<Operation> operations = operations_of(value_);
    for (std::size_t i = 0; i < seen_.operations.size() && i < operations.size(); ++i) {
      const Operation& it = operations[i];
      const Look as_look{.name = std::string(name_of(it.what)),
                         .group = LookGroup::kReads,
                         .entry = it.entry,
                         .start = it.start,
                         .end = it.end};
      check(seen_.operations[i], as_look.name, fmt::format("`{}`", say(as_look)), "parent", -1,
            static_cast<int>(i));
    }
  }

  void check_looks(const View& view, const std::string& side) {
    for (std::size_t i = 0; i < view.looks.size(); ++i)
      check(view.looks[i], seen_.plan[i].name, fmt::format("`{}`", say(seen_.plan[i])), side,
            static_cast<int>(i));
  }

  // Whatever is a store travels, unless a documented limit (a quirk) says otherwise.
  void check_packed() {
    const Refused* no = refused(seen_.packed);
    if (!no) return;
    found_.push_back({.oracle = "refusal",
                      .field = "packing",
                      .wrong = "raises " + no->type,
                      .headline = fmt::format("packing a {} ({}) raises {}: {}", store_name(value_),
                                              name_of(value_.carrier), no->type, no->text),
                      .parent = Shown{nullptr},
                      .child = seen_.packed,
                      .side = "parent",
                      .lost = no->lost,
                      .step = "packing"});
  }

  // What such a store would show in another process is not what it holds.
  void check_stayed() {
    if (!shown(seen_.child.received)) return;
    found_.push_back({.oracle = "refusal",
                      .field = "receiving",
                      .wrong = "accepted elsewhere",
                      .headline = fmt::format("{} a {} is accepted in another process, where its "
                                              "content is not",
                                              carrying(value_), store_name(value_)),
                      .parent = Refused{.type = "RuntimeError"},
                      .child = seen_.child.received,
                      .side = "child",
                      .step = "receiving"});
  }

  // A store that could be made and packed can be received, unless its file is rightly refused.
  void check_received() {
    const bool rightly = expected_.missing || expected_.exists_already || expected_.gone;
    if (value_.store->stays && serialises(value_.carrier) && !in_this_process(value_.transport))
      return check_stayed();
    for (const auto& [view, side] :
         {std::pair{&seen_.child, "child"}, std::pair{&seen_.returned, "returned"}}) {
      const Refused* no = refused(view->received);
      if (!no || rightly) continue;
      // What goes on from a child is always pickled.
      const bool goes_on = view == &seen_.returned && !in_this_process(value_.transport);
      if (value_.store->stays && goes_on) continue;
      // An archive that is wrong, or without its directory yet, is rightly refused, as is a claim
      // already made.
      if (expected_.pending || expected_.unclaimed || wrong_on_purpose(value_)) {
        check(view->received, "receiving", carrying(value_) + " a store", side);
        continue;
      }
      found_.push_back({.oracle = "refusal",
                        .field = "receiving",
                        .wrong = "raises " + no->type,
                        .headline = fmt::format("{} a {}{} raises {}: {}", carrying(value_),
                                                store_name(value_), of_mode(), no->type, no->text),
                        .parent = Shown{nullptr},
                        .child = view->received,
                        .side = side,
                        .lost = no->lost,
                        .step = "receiving"});
    }
  }

  void compare_types() {
    if (expected_.pending || expected_.unclaimed || expected_.gone || child_writes(seen_.plan))
      return;
    if (expected_.other_content) return;
    if (value_.lifecycle == Lifecycle::kClosed) return;  // a closed store refuses in its own way
    for (std::size_t i = 0; i < seen_.child.looks.size() && i < seen_.parent.looks.size(); ++i) {
      const Refused* away = refused(seen_.child.looks[i]);
      const Refused* home = refused(seen_.parent.looks[i]);
      if (!away || !home || away->type == home->type || unfitting(*away) || unfitting(*home))
        continue;
      found_.push_back(
          {.oracle = "refusal",
           .field = seen_.plan[i].name,
           .wrong = fmt::format("{} instead of {}", away->type, home->type),
           .headline =
               fmt::format("`{}` raises {} in the parent, but {} after {} a {}", say(seen_.plan[i]),
                           home->type, away->type, carrying(value_), store_name(value_)),
           .parent = seen_.parent.looks[i],
           .child = seen_.child.looks[i],
           .side = "child",
           .look = static_cast<int>(i)});
    }
  }

  const Case& value_;
  const Expectation& expected_;
  const Observations& seen_;
  std::vector<Disagreement> found_;
};

}  // namespace

Verdict judge_refusal(const Case& value, const Expectation& expected, const Observations& seen) {
  return agree_or(Judge(value, expected, seen).run());
}

}  // namespace storefuzz
