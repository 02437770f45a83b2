// Greedy descent. Reductions say what goes; what then names nothing is dropped by fit.
#include "harness/case/reduce.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace storefuzz::program {
namespace {

// What a choice weighs. A step weighs more than all that can be plainer in it.
constexpr std::size_t kStep = 1000, kProcess = 400, kSubject = 200, kFork = 100, kHandle = 100;
constexpr std::size_t kTwist = 100, kEntry = 80;
constexpr std::size_t kJourney = 60, kWrapper = 40, kOperation = 20, kWord = 5;

template <class Enum>
std::size_t index_of(Enum value) {
  const auto& all = all_of<Enum>();
  return static_cast<std::size_t>(std::ranges::find(all, value) - all.begin());
}

// Adapters stand in their file with the plainest first.
std::size_t index_of(StoreKind kind) {
  const auto& all = all_stores();
  return static_cast<std::size_t>(
      std::ranges::find(all, kind->kind, [](StoreKind it) { return it->kind; }) - all.begin());
}

// The words of a store: "logging over zip" is "logging", "zip".
std::vector<std::string> chain_of(StoreKind kind) {
  constexpr std::string_view kOver = " over ";
  std::vector<std::string> chain;
  std::string_view words = kind->kind;
  for (std::size_t end = 0; (end = words.find(kOver)) != words.npos;) {
    chain.emplace_back(words.substr(0, end));
    words.remove_prefix(end + kOver.size());
  }
  chain.emplace_back(words);
  return chain;
}

std::optional<StoreKind> store_of(const std::vector<std::string>& chain) {
  const auto found = find_store(fmt::format("{}", fmt::join(chain, " over ")));
  return found ? std::optional(*found) : std::nullopt;
}

std::size_t weight_of(StoreKind kind) {
  const std::vector<std::string> chain = chain_of(kind);
  std::size_t sum = 0;
  for (const std::string& word : chain) {
    const StoreKind it = find_store(word).value_or(StoreKind());
    if (&word != &chain.back()) sum += kWrapper;
    sum += std::min(index_of(it), kWrapper - 1);
  }
  return sum;
}

std::size_t weight_of(const std::string& key) {
  return key == "a" ? 0 : std::min<std::size_t>(key.size(), kWord) + 1;
}

std::size_t weight_of(const Value& value) { return value.size > 0 ? kWord : 0; }

std::size_t weight_of(const Make& make) {
  return weight_of(make.kind) + index_of(make.mode) + (make.read_only ? kWord : 0) +
         (make.deflated ? kWord : 0) + (make.relative ? kWord : 0) +
         (make.around.empty() ? 0 : kWord);
}

std::size_t weight_of(const Call& call) {
  const Operation& row = operation(call.op);
  return (call.on.size() - 1) * kHandle + (row.plainer != row.op ? kOperation : 0) +
         (row.misuse ? kOperation : 0) + (call.by == By::kSync ? kWord : 0) +
         (call.watched ? kWord : 0) + weight_of(call.key) + weight_of(call.value) +
         (call.start != 0) + (call.end != 0) + (call.flag ? 1 : 0);
}

std::size_t weight_of(const Carry& carry) {
  return kJourney + index_of(carry.carrier) + index_of(carry.cargo) * 2;
}

std::size_t weight_of(const Fork&) { return 0; }
// A call says what is done; a deed leaves it to the interpreter.
std::size_t weight_of(const Deed& deed) { return kWord + index_of(deed.what); }

// The name that a step gives to a new handle, and the handle it is made of.
struct Alias {
  std::string name, of;
};
Alias alias_of(const Step& step) {
  return std::visit(Each{[](const Make& it) { return Alias{it.as, it.around}; },
                         [](const Call& it) { return Alias{it.as, it.on.front()}; },
                         [](const Carry& it) { return Alias{it.as, it.from}; },
                         [](const Fork&) { return Alias{}; }, [](const Deed&) { return Alias{}; }},
                    step);
}

void rename(std::string& name, const std::string& from, const std::string& to) {
  if (name == from) name = to;
}

void rename_handle(Case& value, const std::string& from, const std::string& to) {
  for (Step& step : value.steps)
    std::visit(Each{[&](Make& it) { rename(it.around, from, to); },
                    [&](Call& it) {
                      for (std::string& handle : it.on) rename(handle, from, to);
                      rename(it.other, from, to);
                      const std::set<std::string> once(it.on.begin(), it.on.end());
                      if (once.size() < it.on.size()) it.on.assign(once.begin(), once.end());
                      // Where the handle lives is another process now.
                      it.in.clear();
                    },
                    [&](Carry& it) {
                      rename(it.from, from, to);
                      it.in.clear();
                    },
                    [](Fork&) {}, [&](Deed& it) { rename(it.handle, from, to); }},
               step);
}

void rename_process(Case& value, const std::string& from, const std::string& to) {
  std::erase_if(value.processes, [&](const Process& it) { return it.name == from; });
  std::erase_if(value.steps, [&](const Step& step) {
    const auto* fork = std::get_if<Fork>(&step);
    return fork && fork->process == from;
  });
  for (Step& step : value.steps)
    std::visit(Each{[&](Make& it) { rename(it.in, from, to); },
                    [&](Call& it) {
                      if (it.in == from) it.in.clear();
                    },
                    [&](Carry& it) {
                      rename(it.to, from, to);
                      if (it.in == from) it.in.clear();
                    },
                    [&](Fork& it) { rename(it.in, from, to); },
                    [&](Deed& it) { rename(it.in, from, to); }},
               step);
}

// "b@5" names its key: the word goes with it.
void rename_key(Case& value, const std::string& from, const std::string& to) {
  const auto rename_word = [&](Value& it) {
    if (it.word.starts_with(from + "@")) it.word = to + it.word.substr(from.size());
  };
  for (Place& place : value.before)
    for (Entry& entry : place.entries) {
      if (entry.key == from) rename_word(entry.value);
      rename(entry.key, from, to);
    }
  for (Step& step : value.steps) {
    auto* call = std::get_if<Call>(&step);
    if (!call || !operation(call->op).takes.key) continue;
    if (call->key == from) rename_word(call->value);
    rename(call->key, from, to);
  }
}

class Reducer {
 public:
  explicit Reducer(const Case& value) : value_(value), limit_(weight(value)) {}

  std::vector<Case> run() {
    drop_steps();
    join_processes();
    join_subjects();
    drop_handles();
    join_stores();
    drop_content();
    for (std::size_t at = 0; at < value_.steps.size(); ++at) make_plainer(at);
    make_stores_alike();
    make_keys_plainer();
    return std::move(out_);
  }

 private:
  template <class Change>
  void offer(Change change) {
    Case next = value_;
    change(next);
    fit(next);
    if (weight(next) < limit_ && std::ranges::find(out_, next) == out_.end())
      out_.push_back(std::move(next));
  }

  // Runs of steps, the longest first, from the end: what comes after the difference is of no use.
  void drop_steps() {
    const auto count = static_cast<std::ptrdiff_t>(value_.steps.size());
    for (std::ptrdiff_t run = count / 2; run > 0; run /= 2)
      for (std::ptrdiff_t end = count; end > 0; end -= run)
        offer([&](Case& next) {
          const auto first = next.steps.begin() + std::max<std::ptrdiff_t>(end - run, 0);
          next.steps.erase(first, next.steps.begin() + end);
        });
  }

  void join_processes() {
    for (const Process& process : value_.processes)
      offer([&](Case& next) { rename_process(next, process.name, std::string(kHome)); });
    for (const Process& process : value_.processes)
      for (const Process& other : value_.processes)
        if (other.name != process.name)
          offer([&](Case& next) { rename_process(next, process.name, other.name); });
  }

  void join_subjects() {
    for (std::size_t at = 0; at < value_.processes.size(); ++at)
      offer([&](Case& next) { next.processes[at].subject.clear(); });
  }

  // A handle that was made of another one: the other one in its stead.
  void drop_handles() {
    for (std::size_t at = 0; at < value_.steps.size(); ++at) {
      const Alias alias = alias_of(value_.steps[at]);
      if (!alias.name.empty() && !alias.of.empty())
        offer([&](Case& next) {
          next.steps.erase(next.steps.begin() + static_cast<std::ptrdiff_t>(at));
          rename_handle(next, alias.name, alias.of);
        });
      inherit(at);
      const Call* call = std::get_if<Call>(&value_.steps[at]);
      for (std::size_t i = 0; call && call->on.size() > 1 && i < call->on.size(); ++i)
        change<Call>(
            at, [&](Call& it) { it.on.erase(it.on.begin() + static_cast<std::ptrdiff_t>(i)); });
    }
  }

  // Two stores that are made alike: one in the stead of both.
  void join_stores() {
    for (std::size_t at = 0; at < value_.steps.size(); ++at)
      for (std::size_t other = 0; other < at; ++other) {
        const Make* make = std::get_if<Make>(&value_.steps[at]);
        const Make* earlier = std::get_if<Make>(&value_.steps[other]);
        if (!make || !earlier) continue;
        Make same = *make;
        same.as = earlier->as;
        if (same != *earlier) continue;
        offer([&](Case& next) {
          next.steps.erase(next.steps.begin() + static_cast<std::ptrdiff_t>(at));
          rename_handle(next, make->as, earlier->as);
        });
      }
  }

  // What was carried to a fork: the fork inherited the store itself.
  void inherit(std::size_t at) {
    const Carry* carry = std::get_if<Carry>(&value_.steps[at]);
    if (!carry || carry->to == kHome) return;
    offer([&](Case& next) {
      for (Step& step : next.steps)
        if (auto* call = std::get_if<Call>(&step); call && call->on == std::vector{carry->as}) {
          call->on = {carry->from};
          call->in = carry->to;
        }
      next.steps.erase(next.steps.begin() + static_cast<std::ptrdiff_t>(at));
    });
  }

  void drop_content() {
    for (std::size_t place = 0; place < value_.before.size(); ++place) {
      const std::vector<Entry>& entries = value_.before[place].entries;
      offer([&](Case& next) {
        next.before.erase(next.before.begin() + static_cast<std::ptrdiff_t>(place));
      });
      for (std::size_t at = 0; at < value_.before[place].twists.size(); ++at)
        offer([&](Case& next) {
          auto& all = next.before[place].twists;
          all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
        });
      for (std::size_t at = 0; at < entries.size(); ++at) {
        offer([&](Case& next) {
          auto& all = next.before[place].entries;
          all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
        });
        offer([&](Case& next) { next.before[place].entries[at].value.size = 0; });
      }
    }
  }

  template <class Kind, class Change>
  void change(std::size_t at, Change how) {
    offer([&](Case& next) { how(std::get<Kind>(next.steps[at])); });
  }

  void make_plainer(std::size_t at) {
    std::visit([&](const auto& it) { plainer(at, it); }, value_.steps[at]);
  }

  void plainer(std::size_t at, const Make& make) {
    for (const Adapter* inner = make.kind->inner; inner; inner = inner->inner)
      change<Make>(at, [&](Make& it) {
        it.kind = StoreKind(inner);
        it.around.clear();
      });
    for (const StoreKind kind : plainer_kinds(make.kind)) {
      const auto replace = [&](Make& it) {
        it.kind = kind;
        if (it.at.empty() && it.around.empty()) it.at = kind->medium == Medium::kZip ? "z" : "f";
      };
      // Stores that meet in one place are of one kind.
      offer([&](Case& next) {
        for (Step& step : next.steps)
          if (Make* it = std::get_if<Make>(&step); it && it->kind == make.kind) replace(*it);
      });
      change<Make>(at, replace);
    }
    if (!make.around.empty()) put_over(at, make);
    for (const Mode mode : all_of<Mode>()) {
      if (mode == make.mode) break;
      change<Make>(at, [&](Make& it) { it.mode = mode; });
    }
    change<Make>(at, [](Make& it) { it.read_only.reset(); });
    change<Make>(at, [](Make& it) { it.deflated = false; });
    change<Make>(at, [](Make& it) { it.relative = false; });
  }

  // Two stores of which one may write are not equal: all are made plainer at once.
  void make_stores_alike() {
    const auto change_all = [&](auto change) {
      offer([&](Case& next) {
        for (Step& step : next.steps)
          if (Make* make = std::get_if<Make>(&step)) change(*make);
      });
    };
    const auto is_make = [](const Step& it) { return std::holds_alternative<Make>(it); };
    if (std::ranges::count_if(value_.steps, is_make) < 2) return;
    change_all([](Make& it) { it.read_only.reset(); });
    change_all([](Make& it) { it.mode = all_of<Mode>().front(); });
  }

  // A wrapper less, a kind whose class it uses, or another way to make a store of the same class:
  // another class has defects of its own.
  static std::vector<StoreKind> plainer_kinds(StoreKind whole) {
    std::vector<StoreKind> kinds;
    const std::vector<std::string> chain = chain_of(whole);
    const auto add = [&](const std::vector<std::string>& words) {
      if (const auto kind = store_of(words); kind && *kind != whole) kinds.push_back(*kind);
    };
    for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
      std::vector<std::string> less = chain;
      less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
      add(less);
    }
    for (const std::string& word : chain)
      if (const auto kind = find_store(word); kind && !(*kind)->uses.empty()) add({(*kind)->uses});
    for (std::size_t i = 0; i < chain.size(); ++i)
      for (const StoreKind kind : all_stores()) {
        if (kind->type != find_store(chain[i]).value_or(StoreKind())->type) continue;
        std::vector<std::string> other = chain;
        other[i] = kind->kind;
        add(other);
      }
    return kinds;
  }

  // A wrapper around a living store: one step that makes both.
  void put_over(std::size_t at, const Make& make) {
    for (std::size_t inner = 0; inner < at; ++inner) {
      const Make* below = std::get_if<Make>(&value_.steps[inner]);
      if (!below || below->as != make.around || !below->around.empty()) continue;
      std::vector<std::string> chain = chain_of(below->kind);
      chain.insert(chain.begin(), make.kind->kind);
      const auto whole = store_of(chain);
      if (!whole) continue;
      offer([&](Case& next) {
        Make both = *below;
        both.kind = *whole;
        both.as = make.as;
        next.steps[at] = std::move(both);
        next.steps.erase(next.steps.begin() + static_cast<std::ptrdiff_t>(inner));
      });
    }
  }

  void plainer(std::size_t at, const Call&) {
    change<Call>(at, [](Call& it) { it.op = operation(it.op).plainer; });
    change<Call>(at, [](Call& it) { it.by = By::kHand; });
    change<Call>(at, [](Call& it) { it.watched = false; });
    change<Call>(at, [](Call& it) { it.value.size = 0; });
    change<Call>(at, [](Call& it) { it.start = 0; });
    change<Call>(at, [](Call& it) { it.end = 0; });
    change<Call>(at, [](Call& it) { it.flag = false; });
  }

  void plainer(std::size_t at, const Carry& carry) {
    for (const Carrier carrier : all_of<Carrier>()) {
      if (carrier == carry.carrier) break;
      change<Carry>(at, [&](Carry& it) { it.carrier = carrier; });
    }
    change<Carry>(at, [](Carry& it) { it.cargo = Cargo::kStore; });
  }

  void plainer(std::size_t, const Fork&) {}

  void plainer(std::size_t at, const Deed& deed) {
    // Who is forgotten closes what it has open.
    if (deed.what == What::kDrop)
      offer([&](Case& next) { next.steps[at] = Call{.op = Op::kClose, .on = {deed.handle}}; });
    if (!ends_its_process(deed.what)) return;
    for (const What what : all_of<What>()) {
      if (what == deed.what) break;
      if (ends_its_process(what)) change<Deed>(at, [&](Deed& it) { it.what = what; });
    }
  }

  // "ab" begins as "a" does and does not lie below it: whether folders matter is another root.
  void make_keys_plainer() {
    const std::set<std::string> keys = keys_of(value_);
    for (const std::string& key : keys)
      for (const char* plain : {"a", "b", "c", "ab"})
        if (!keys.contains(plain)) offer([&](Case& next) { rename_key(next, key, plain); });
  }

  const Case& value_;
  const std::size_t limit_;
  std::vector<Case> out_;
};

}  // namespace

std::size_t weight(const Case& value) {
  std::size_t sum = value.steps.size() * kStep;
  for (const Process& it : value.processes)
    sum += kProcess + (it.began == Began::kFork ? kFork : 0) + (it.subject.empty() ? 0 : kSubject);
  for (const Place& place : value.before) {
    sum += kEntry + place.twists.size() * kTwist;
    for (const Entry& it : place.entries) sum += kEntry + weight_of(it.key) + weight_of(it.value);
  }
  for (const Step& step : value.steps)
    sum += std::visit([](const auto& it) { return weight_of(it); }, step);
  return sum;
}

std::vector<Case> reductions(const Case& value) { return Reducer(value).run(); }

Reduced reduce(const Case& value, const std::function<bool(const Case&)>& keeps,
               const std::function<bool()>& stop) {
  Reduced best{.value = value};
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (Case& candidate : reductions(best.value)) {
      if (stop && stop()) return best;
      ++best.tried;
      if (!keeps(candidate)) continue;
      best.value = std::move(candidate);
      smaller = true;
      break;
    }
  }
  return best;
}

}  // namespace storefuzz::program
