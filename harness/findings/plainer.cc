// See plainer.h.
#include "harness/findings/plainer.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "harness/findings/cause.h"
#include "harness/findings/cause_parts.h"

namespace storefuzz::program {
namespace {

// --- what means the same

bool of_one_place(const Difference& was, const Difference& is) {
  return was.oracle == is.oracle && was.wrong == is.wrong && was.where.place == is.where.place &&
         was.within == is.within;
}

// What lies at the place of `was` is gone, or cannot be read.
bool is_ruined(const Difference& was, const Difference& is) {
  return is.oracle == kOnDisk && was.where.place == is.where.place &&
         (is.wrong == Wrong::kLost || is.wrong == Wrong::kUnreadable);
}

// What is gone from the disk is not shown either, and is gone as well when all stops earlier.
bool of_one_loss(const Difference& was, const Difference& is) {
  const bool after_a_call = was.oracle == kOnDisk && !was.within;
  return is_ruined(was, is) && !is.within && (is.wrong == Wrong::kLost || !after_a_call);
}

// An archive that is wrong on purpose is told as another one where a plain one cannot be read.
bool of_one_ruin(const Difference& was, const Difference& is) {
  return is_ruined(was, is) && was.within == is.within;
}

bool by_one_handle(const Difference& was, const Difference& is) {
  return was.where.handle == is.where.handle && was.where.process == is.where.process;
}

bool shows_content(Wrong wrong) {
  return wrong == Wrong::kAbsent || wrong == Wrong::kGhost || wrong == Wrong::kOtherValue;
}

// A key that is not listed is not there for a read either, or it is another defect.
bool of_one_content(const Difference& was, const Difference& is) {
  return was.wrong == is.wrong && by_one_handle(was, is);
}

bool of_one_answer(const Difference& was, const Difference& is) {
  return of_one_content(was, is) && was.was == is.was;
}

// Of two parts the answer is made of what comes for each.
bool of_answers_in_turn(const Difference& was, const Difference& is) {
  const Shown *one = shown(was.was), *other = shown(is.was);
  const auto* all = one ? std::get_if<BytesValue>(one) : nullptr;
  const auto* part = other ? std::get_if<BytesValue>(other) : nullptr;
  return of_one_content(was, is) && all && part && all->bytes == part->bytes + part->bytes;
}

bool of_one_handle(const Difference& was, const Difference& is) {
  const Refusal *one = refused(was.was), *other = refused(is.was);
  if (one && (!other || one->type != other->type)) return false;
  return was.oracle == is.oracle && was.wrong == is.wrong &&
         was.where.operation == is.where.operation && by_one_handle(was, is);
}

bool of_one_error(const Difference& was, const Difference& is) {
  const Refusal *one = refused(was.was), *other = refused(is.was);
  return one && other && one->type == other->type && one->frame == other->frame &&
         was.where.handle == is.where.handle && was.oracle == is.oracle;
}

// "'ZipStore' object has no attribute '_read_only'": the attribute is lost, and its state says so.
bool of_one_attribute(const Difference& was, const Difference& is) {
  const Refusal* refusal = refused(was.was);
  if (is.wrong != Wrong::kState || !refusal) return false;
  std::string_view name = refusal->text;
  name = name.substr(0, name.rfind('\''));
  return attribute_of(name.substr(name.rfind('\'') + 1)) == attribute_of(is.where.key);
}

bool of_one_wait(const Difference& was, const Difference& is) {
  return is.wrong == Wrong::kHang && frame_of_hang(was) == frame_of_hang(is) &&
         by_one_handle(was, is);
}

// A carry is told of where it goes, and packing waits where it comes from.
bool of_one_packing(const Difference& was, const Difference& is) {
  return is.wrong == Wrong::kHang && frame_of_hang(was) == frame_of_hang(is) &&
         was.where.handle == is.where.handle;
}

// One of two stores of one place says that the other is another one.
bool of_one_equality(const Difference& was, const Difference& is) {
  return was.oracle == is.oracle && was.wrong == is.wrong &&
         was.where.operation == is.where.operation && was.where.process == is.where.process;
}

// Who says that it may write does what one that may not has to refuse.
bool of_one_mode(const Difference& was, const Difference& is) {
  return is.oracle == kWritable && is.wrong == Wrong::kState && was.where.place == is.where.place;
}

// Who finds nothing has nothing to delete, and does not refuse to.
bool of_one_absence(const Difference& was, const Difference& is) {
  return is.wrong == Wrong::kAbsent && by_one_handle(was, is);
}

// Who finds a key that should not be there has nothing to set.
bool of_one_presence(const Difference& was, const Difference& is) {
  return is.wrong == Wrong::kGhost && by_one_handle(was, is);
}

// --- what is asked instead

// So much of a value reaches the disk while it is being written.
constexpr std::int64_t kBeyondABuffer = 9000;

// The plainest store that needs neither a place nor a mode.
std::optional<StoreKind> plain_memory() {
  const auto found = std::ranges::find_if(
      all_stores(), [](StoreKind it) { return it->medium == Medium::kMemory && !it->wraps; });
  return found == all_stores().end() ? std::nullopt : std::optional(*found);
}

// Of the class that zarr chooses for a text, the store that is made by name.
std::optional<StoreKind> named_otherwise(StoreKind chosen) {
  const auto found = std::ranges::find_if(all_stores(), [&](StoreKind it) {
    return !it->chosen && !it->wraps && it->type == chosen->type && it->medium == chosen->medium;
  });
  return found == all_stores().end() ? std::nullopt : std::optional(*found);
}

void stop_nowhere(Case& value) {
  for (Step& step : value.steps)
    if (Call* call = std::get_if<Call>(&step)) call->watched = false;
}

void put_a_plain_archive(Case& value) {
  for (Place& place : value.before)
    if (!place.twists.empty()) {
      place.twists.clear();
      place.entries = {{.key = "a", .value = {.word = "a@0"}}};
    }
}

std::string unused_key(const Case& value) {
  const std::set<std::string> used = keys_of(value);
  std::string key = "a";
  while (used.contains(key)) ++key[0];
  return key;
}

class Ways {
 public:
  Ways(const Case& value, const Difference& it)
      : value_(value), it_(it), call_(std::get_if<Call>(&value.steps[it.where.step])) {}

  std::vector<Plainer> run() {
    for (std::size_t i = 0; i < value_.steps.size(); ++i) put_memory_below(i);
    for (std::size_t i = 0; i < value_.steps.size(); ++i) make_read_only_afterwards(i);
    // Of the readers each way to be wrong with an archive that was there is a root of its own.
    if (it_.oracle != kReadersAgree && it_.oracle != kOnDisk) offer_a_plain_archive(of_one_handle);
    if (call_ && (it_.wrong == Wrong::kDone || it_.wrong == Wrong::kMade))
      replace(Op::kReadOnly, "", of_one_mode);
    if (it_.wrong == Wrong::kHang) return hangs();
    if (it_.oracle == kOnDisk && it_.within) return within_a_call();
    if (it_.oracle == kOnDisk) return on_disk();
    if (it_.wrong == Wrong::kStray) return strays();
    if (const Refusal* it = refused(it_.was); it && it->type == "AttributeError") ask_state();
    if (call_ && it_.wrong == Wrong::kAbsent) close_afterwards([](Case&) {});
    if (call_ && refused(it_.was)) ask_one_of_several();
    // Who refuses parts of a key may refuse the whole of it as well.
    if (call_ && refused(it_.was) && call_->op == Op::kGetPartialRanges)
      replace(Op::kGetPartialValues, call_->key, of_one_error);
    // What deletes several keys may delete each by the operation that deletes one.
    if (call_ && it_.wrong == Wrong::kDone) ask({operation(call_->op).plainer}, of_one_content);
    if (call_ && it_.wrong == Wrong::kDone && call_->op == Op::kDelete)
      replace(Op::kGet, call_->key, of_one_absence);
    if (call_ && it_.wrong == Wrong::kDone &&
        operation(call_->op).on_content == OnContent::kSetIfAbsent)
      replace(Op::kGet, call_->key, of_one_presence);
    if (call_ && refused(it_.was)) open_again_for_each_copy();
    if (call_ && it_.wrong == Wrong::kNotEqual) make_another_for_each_copy();
    if (call_ && shows_content(it_.wrong)) ask({Op::kGet}, of_one_content);
    if (call_ && it_.wrong == Wrong::kOtherValue) ask_for_a_range();
    if (call_ && refused(it_.was) && it_.where.operation == name_of(call_->op))
      ask({Op::kGet, Op::kSet, Op::kList, Op::kEnter}, of_one_error);
    return std::move(ways_);
  }

 private:
  template <class Change>
  void offer(Change change, bool (*same)(const Difference&, const Difference&)) {
    Plainer way{.value = value_, .was = it_, .same = same};
    change(way.value);
    fit(way.value);
    const bool offered = std::ranges::any_of(ways_, [&](const Plainer& it) {
      return it.same == way.same && !it.unless && it.value == way.value;
    });
    if (!offered && way.value != value_) ways_.push_back(std::move(way));
  }

  // Another operation in the stead of the one that differs, as long as it comes earlier in the
  // list.
  void ask(std::initializer_list<Op> plain, bool (*same)(const Difference&, const Difference&)) {
    std::set<std::string> keys = keys_of(value_);
    keys.insert("a");
    for (const Op op : plain) {
      if (op == call_->op) return;
      if (!operation(op).takes.key) {
        replace(op, "", same);
      } else if (operation(call_->op).takes.key) {
        replace(op, call_->key, same);
      } else {
        for (const std::string& key : keys) replace(op, key, same);
      }
    }
  }

  void replace(Op op, const std::string& key, bool (*same)(const Difference&, const Difference&),
               std::int64_t size = 0) {
    offer(
        [&](Case& next) {
          Call& call = std::get<Call>(next.steps[it_.where.step]);
          const bool by_zarr = operation(call.op).said == Said::kPlain;
          call.op = op;
          call.key = key;
          call.value.size = size;
          // An array is read by zarr's own loop.
          if (it_.wrong == Wrong::kHang && by_zarr) call.by = By::kSync;
          if (operation(op).takes.value && call.value.word.empty())
            call.value.word = key + "@" + std::to_string(it_.where.step);
        },
        same);
  }

  // Where the whole value comes for a part, it may come for any part; and what is asked in another
  // way may be wrong in the usual way as well.
  void ask_for_a_range() {
    if (const Op usual = answers_like(call_->op); usual != call_->op && usual != Op::kGet)
      offer([&](Case& next) { std::get<Call>(next.steps[it_.where.step]).op = usual; },
            of_one_content);
    const bool parts = call_->op == Op::kGetPartialRanges;
    if (!parts && call_->op != Op::kGetOffset && call_->op != Op::kGetSuffix) return;
    offer(
        [&](Case& next) {
          Call& call = std::get<Call>(next.steps[it_.where.step]);
          call.op = Op::kGetRange;
          call.start = 0;
          call.end = 1;
        },
        parts ? of_answers_in_turn : of_one_answer);
  }

  // What a copy of a store does to the place of both when it is opened, the store itself may do
  // when it is closed and opened again: that what was there is gone shows when it is closed once
  // more, if nothing that is gone was asked for, by whomever. A write may do it as a read does.
  void open_again_for_each_copy() {
    for (std::size_t i = 0; i < it_.where.step; ++i) {
      const Carry* carry = std::get_if<Carry>(&value_.steps[i]);
      if (!carry || carry->cargo != Cargo::kStore) continue;
      for (const bool read_alone : {false, true})
        offer([&](Case& next) { open_again(next, i, *carry, read_alone); }, of_one_loss);
    }
  }

  void open_again(Case& next, std::size_t at, const Carry& carry, bool read_alone) const {
    const Call close{.op = Op::kClose, .on = {carry.from}, .in = carry.in};
    // Whoever reads bytes that the copy has begun anew is refused; what he asks is not needed then.
    const bool another_is_refused = call_ && refusal_type(it_) == "BadZipFile" &&
                                    !operation(call_->op).writes() &&
                                    std::ranges::count(call_->on, carry.as) == 0 &&
                                    std::ranges::count(call_->on, carry.from) == 0;
    next.steps.resize(it_.where.step + (another_is_refused ? 0 : 1));
    next.steps.push_back(close);
    next.steps[at] = close;
    for (Step& step : next.steps) {
      Call* call = std::get_if<Call>(&step);
      if (!call || std::ranges::count(call->on, carry.as) == 0) continue;
      call->on = {carry.from};
      call->in = carry.in;
      if (call->op == Op::kClose || (!read_alone && operation(call->op).writes())) continue;
      *call = {.op = Op::kGet, .on = {carry.from}, .in = carry.in, .key = unused_key(value_)};
    }
  }

  // The disk is looked at before a fork: that something is gone, or has another name there, shows
  // as well when the store that was asked last is closed.
  void close_instead_of_a_fork() {
    if (!std::holds_alternative<Fork>(value_.steps[it_.where.step])) return;
    if (it_.wrong == Wrong::kMade && it_.where.key.empty()) return;
    for (std::size_t i = it_.where.step; i-- > 0;)
      if (const Call* call = std::get_if<Call>(&value_.steps[i]); call && !call->on.empty()) {
        const std::string store = store_of(value_, call->on.back());
        const Call close{.op = Op::kClose, .on = {store}, .in = call->in};
        return offer([&](Case& next) { next.steps[it_.where.step] = close; }, of_one_loss);
      }
  }

  // A store that does not equal its copy may equal none that is made for the same place.
  void make_another_for_each_copy() {
    for (std::size_t i = 0; i < it_.where.step; ++i) {
      const Carry* carry = std::get_if<Carry>(&value_.steps[i]);
      const Make* made = carry ? made_as(value_, carry->from) : nullptr;
      if (!made || carry->cargo != Cargo::kStore) continue;
      Make other = *made;
      other.in = carry->to;
      other.as = carry->as;
      offer([&](Case& next) { next.steps[i] = other; }, of_one_equality);
    }
  }

  // Of a copy, beside that of which it is one; of what lies in a store, by a copy of that store.
  void ask_state() {
    const std::string asked = store_of(value_, it_.where.handle);
    for (std::size_t i = 0; i < it_.where.step; ++i)
      if (const Carry* carry = std::get_if<Carry>(&value_.steps[i]); carry && carry->as == asked)
        offer(
            [&](Case& next) {
              Carry& store = std::get<Carry>(next.steps[i]);
              store.from = store_of(value_, carry->from);
              store.cargo = Cargo::kStore;
              next.steps[it_.where.step] = Call{.op = Op::kState, .on = {store.from, store.as}};
            },
            of_one_attribute);
  }

  // An archive is there when it is closed. What is read before is of a key that was never there:
  // who misses one that was, is told before the disk is.
  void close_afterwards(auto change) {
    if (operation(call_->op).writes()) return;
    offer(
        [&](Case& next) {
          change(next);
          Call& call = std::get<Call>(next.steps[it_.where.step]);
          call.op = Op::kGet;
          call.key = unused_key(next);
          next.steps.insert(next.steps.begin() + static_cast<std::ptrdiff_t>(it_.where.step) + 1,
                            Call{.op = Op::kClose, .on = call_->on});
        },
        of_one_loss);
  }

  // What a write takes away from the file is missing when that is closed, unless it is the very key
  // that is written.
  void write_another_key_and_close() {
    if (!call_ || !operation(call_->op).takes.key || !operation(call_->op).takes.value) return;
    offer(
        [&](Case& next) {
          stop_nowhere(next);
          Call& call = std::get<Call>(next.steps[it_.where.step]);
          call.key = unused_key(next);
          call.value.word = call.key + "@" + std::to_string(it_.where.step);
          next.steps.insert(next.steps.begin() + static_cast<std::ptrdiff_t>(it_.where.step) + 1,
                            Call{.op = Op::kClose, .on = call_->on, .in = call_->in});
        },
        of_one_loss);
  }

  // One of them may have spoiled the file for the others.
  void ask_one_of_several() {
    if (call_->on.size() < 2) return;
    for (const std::string& handle : call_->on)
      offer([&](Case& next) { std::get<Call>(next.steps[it_.where.step]).on = {handle}; },
            of_one_loss);
  }

  void drop(std::size_t step, auto change) {
    offer(
        [&](Case& next) {
          change(next);
          next.steps.erase(next.steps.begin() + static_cast<std::ptrdiff_t>(step));
        },
        of_one_place);
  }

  // What lies at the place of a store, which memory has not, is written by the store itself.
  static void write_what_lies_there(Case& value, std::size_t step) {
    const Make make = std::get<Make>(value.steps[step]);
    const auto place = std::ranges::find(value.before, make.at, &Place::name);
    if (place == value.before.end() || !place->twists.empty()) return;
    std::ptrdiff_t after = static_cast<std::ptrdiff_t>(step) + 1;
    for (const Entry& entry : place->entries)
      value.steps.insert(
          value.steps.begin() + after++,
          Call{.op = Op::kSet, .on = {make.as}, .key = entry.key, .value = entry.value});
    value.before.erase(place);
  }

  // What a wrapper does wrong, it does around any store.
  void put_memory_below(std::size_t step) {
    const Make* make = std::get_if<Make>(&value_.steps[step]);
    if (!make || !make->kind->inner) return;
    const auto memory = plain_memory();
    if (!memory || innermost(make->kind) == *memory) return;
    const auto whole = with_innermost(make->kind, *memory);
    if (!whole) return;
    const auto with = [&](StoreKind kind) {
      Case next = value_;
      std::get<Make>(next.steps[step]).kind = kind;
      write_what_lies_there(next, step);
      fit(next);
      return next;
    };
    ways_.push_back(
        {.value = with(*whole), .was = it_, .same = of_one_handle, .unless = with(*memory)});
  }

  // Of a text that zarr should only read it may make a store that writes, and ask that for one that
  // only reads.
  void make_read_only_afterwards(std::size_t step) {
    const Make* make = std::get_if<Make>(&value_.steps[step]);
    if (!make || !make->kind->chosen || !make->read_only.value_or(false)) return;
    const auto kind = named_otherwise(make->kind);
    if (!kind) return;
    offer(
        [&](Case& next) {
          Make first = *make;
          first.kind = *kind;
          first.read_only.reset();
          first.as = "w" + make->as;
          const Call second{.op = Op::kWithReadOnly,
                            .on = {first.as},
                            .in = make->in,
                            .flag = true,
                            .as = make->as};
          next.steps[step] = first;
          next.steps.insert(next.steps.begin() + static_cast<std::ptrdiff_t>(step) + 1, second);
        },
        of_one_handle);
  }

  // Whoever waits at one place in zarr for its event loop waits there with any operation and store.
  std::vector<Plainer> hangs() {
    if (call_) ask({Op::kGet}, of_one_wait);
    if (const auto* carry = std::get_if<Carry>(&value_.steps[it_.where.step])) get_instead(*carry);
    const auto memory = plain_memory();
    if (frame_of_hang(it_).empty() || !memory) return std::move(ways_);
    for (std::size_t i = 0; i < value_.steps.size(); ++i)
      if (std::holds_alternative<Make>(value_.steps[i]))
        offer([&](Case& next) { std::get<Make>(next.steps[i]).kind = *memory; }, of_one_wait);
    return std::move(ways_);
  }

  // Packing an array or a group reads it first.
  void get_instead(const Carry& carry) {
    offer(
        [&](Case& next) {
          next.steps[it_.where.step] =
              Call{.op = Op::kGet, .on = {carry.from}, .in = carry.in, .key = "a", .by = By::kSync};
        },
        of_one_packing);
  }

  // What is left beside the stores is looked for at the end: the last step need not have left it.
  std::vector<Plainer> strays() {
    if (value_.steps.size() > 1) drop(it_.where.step, [](Case&) {});
    return std::move(ways_);
  }

  void offer_a_plain_archive(bool (*same)(const Difference&, const Difference&)) {
    if (std::ranges::any_of(value_.before, [](const Place& it) { return !it.twists.empty(); }))
      offer(put_a_plain_archive, same);
  }

  // The disk is looked at when something may have written, and at the end: the step at which it is
  // seen need not have done it.
  std::vector<Plainer> on_disk() {
    offer_a_plain_archive(of_one_ruin);
    open_again_for_each_copy();
    close_instead_of_a_fork();
    // An archive that nothing was written to is empty again, and whole, when it is closed: that
    // what was in it is gone shows where something was.
    for (std::size_t i = 0; call_ && it_.wrong == Wrong::kUnreadable && i < it_.where.step; ++i)
      if (const Call* call = std::get_if<Call>(&value_.steps[i]))
        close_afterwards([&](Case& next) {
          next.steps[i] = Call{.op = Op::kSet,
                               .on = call->on,
                               .in = call->in,
                               .key = "a",
                               .value = {.word = "a@" + std::to_string(i)}};
        });
    if (value_.steps.size() > 1) drop(it_.where.step, [](Case&) {});
    if (call_ && !operation(call_->op).writes()) {
      ask({Op::kGet, Op::kOpen}, of_one_place);
      if (call_->op != Op::kGet) replace(Op::kGet, unused_key(value_), of_one_place);
    }
    return std::move(ways_);
  }

  // An archive that is being written is half written in the next call as well. All writes end in
  // the one that writes a key; who deletes writes none.
  std::vector<Plainer> within_a_call() {
    offer_a_plain_archive(of_one_ruin);
    if (it_.wrong == Wrong::kLost || it_.wrong == Wrong::kUnreadable) {
      offer(stop_nowhere, of_one_loss);
      write_another_key_and_close();
    }
    const Make* made = call_ ? origin_of(value_, call_->on.front()) : nullptr;
    for (std::size_t i = it_.where.step; made && is_of_an_archive(*made) && i-- > 0;)
      if (std::holds_alternative<Call>(value_.steps[i])) {
        drop(it_.where.step, [&](Case& next) { std::get<Call>(next.steps[i]).watched = true; });
        break;
      }
    const bool writes = call_ && operation(call_->op).writes() && !operation(call_->op).deletes();
    if (!writes || call_->op == Op::kSet) return std::move(ways_);
    const std::string key = operation(call_->op).takes.key ? call_->key : "a";
    for (const std::int64_t size : {std::int64_t{0}, kBeyondABuffer})
      replace(Op::kSet, key, of_one_place, size);
    return std::move(ways_);
  }

  const Case& value_;
  const Difference& it_;
  const Call* call_;
  std::vector<Plainer> ways_;
};

}  // namespace

const Difference* Plainer::shown_by(const std::vector<Difference>& differences) const {
  for (const Difference& it : differences)
    if (it.first && !it.question && same(was, it)) return &it;
  return nullptr;
}

std::vector<Plainer> plainer_ways(const Case& reduced, const Difference& difference) {
  if (difference.question || difference.where.step >= reduced.steps.size()) return {};
  return Ways(reduced, difference).run();
}

std::optional<Case> warmed(const Case& value) {
  Case warm = value;
  warm.steps.clear();
  std::vector<std::string> here;  // handles of the first process
  for (const Step& step : value.steps) {
    std::vector<Step> before;
    if (const auto* make = std::get_if<Make>(&step); make && make->in == kHome)
      here.push_back(make->as);
    const auto* fork = std::get_if<Fork>(&step);
    const auto get = [&](const std::string& handle, const std::string& in) {
      before.emplace_back(Call{.op = Op::kGet, .on = {handle}, .in = in, .key = "a"});
    };
    for (const Step& later : value.steps) {
      const auto* call = std::get_if<Call>(&later);
      if (fork && call && call->in == fork->process && !operation(call->op).writes()) {
        Call same = *call;
        same.in = fork->in;
        same.as.clear();
        before.emplace_back(std::move(same));
      }
      // Threads that a store of its own would wake are those that the child does not have.
      const auto* make = std::get_if<Make>(&later);
      if (fork && make && make->in == fork->process && !make->kind->before.empty()) {
        Make same = *make;
        same.in = fork->in;
        same.as = "w" + make->as;
        get(same.as, same.in);
        before.insert(before.end() - 1, std::move(same));
      }
    }
    // The child may have handles of its own, and what waits may be no call: packing an array reads.
    if (fork && fork->in == kHome)
      for (const std::string& handle : here) get(handle, std::string(kHome));
    for (Step& next : before)
      if (warm.steps.empty() || warm.steps.back() != next) warm.steps.push_back(std::move(next));
    warm.steps.push_back(step);
  }
  fit(warm);
  return warm == value ? std::nullopt : std::optional(std::move(warm));
}

}  // namespace storefuzz::program
