// Steps become lines of the process that does them (script_parts.h), and the last one is asked
// (script_question.h).
#include "harness/findings/script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "harness/base/python_text.h"
#include "harness/case/make_text.h"
#include "harness/findings/script_frame.h"
#include "harness/findings/script_parts.h"
#include "harness/findings/script_places.h"
#include "harness/findings/script_question.h"
#include "harness/findings/script_stores.h"
#include "harness/findings/script_words.h"
#include "harness/oracles/judged.h"

namespace storefuzz::program {
namespace {

class Writer {
 public:
  Writer(const Case& value, const Difference& difference, const Observation& seen,
         const ScriptOptions& options, Words words, Question question)
      : case_(value),
        told_(difference),
        seen_(seen),
        options_(options),
        words_(std::move(words)),
        question_(std::move(question)),
        judged_(walk(value, seen)),
        far_(std::ranges::any_of(value.steps, [](const Step& step) {
          const auto* deed = std::get_if<Deed>(&step);
          return deed && deed->what == What::kChangeDirectory;
        })) {}

  Result<std::string> write() {
    auto before = lines_before(case_);
    if (!before) return std::unexpected(before.error());
    parts_.at_home(*before);
    for (at_ = 0; at_ < case_.steps.size() && at_ <= told_.where.step; ++at_) {
      const Step& step = case_.steps[at_];
      if (is_written(step)) {
        auto done = std::visit([&](const auto& it) { return write(it); }, step);
        if (!done) return std::unexpected(done.error());
      }
      handles_.take(case_.steps[at_]);
    }
    for (const std::string& process :
         parts_.begun())  // it ended at the end of the program, by itself
      if (exit_is_asked(process) && question_.defect.empty()) end_by_exit(process);
    return framed(assembled(), options_);
  }

 private:
  using Form = Question::Form;
  using Done = Result<void>;

  // --- what is asked

  bool is_told() const { return at_ == told_.where.step; }
  bool asks_answer() const { return is_told() && question_.form == Form::kAnswer; }

  // A whole program whose own end is looked at runs in a process below the script.
  bool home_ends() const {
    const auto* deed = std::get_if<Deed>(&case_.steps.back());
    return deed && deed->in == kHome && ends_its_process(deed->what) &&
           told_.where.step + 1 == case_.steps.size();
  }
  bool dies_at_home() const {
    return question_.form == Form::kDeath &&
           (told_.where.process.empty() || told_.where.process == kHome);
  }
  bool apart() const { return question_.form == Form::kHang || dies_at_home() || home_ends(); }
  bool by_moments() const { return question_.form == Form::kMoment; }

  // Reads of the state are no step of a person; it matters where it is what is asked.
  bool is_written(const Step& step) const {
    const auto* call = std::get_if<Call>(&step);
    const bool told = is_told() && question_.form != Form::kPlace && question_.form != Form::kLeft;
    return !call || call->op != Op::kState || told ||
           (question_.earlier && question_.earlier->step == at_);
  }

  // A hang is told by equal stacks of the process that hangs.
  void watch(const std::string& process) {
    if (is_told() && question_.form == Form::kHang)
      parts_.add(
          process,
          "faulthandler.dump_traceback_later(1, repeat=True, file=open(\"../stacks\", \"a\"))");
  }

  const Answer& answer(std::size_t handle = 0) const {
    static const Answer absent;
    if (at_ >= seen_.steps.size() || handle >= seen_.steps[at_].answers.size()) return absent;
    return seen_.steps[at_].answers[handle];
  }

  bool may_be_refused(std::size_t handle = 0) const {
    if (refused(answer(handle))) return true;
    const auto found = std::ranges::find_if(judged_.answers, [&](const JudgedAnswer& it) {
      return it.step == at_ && it.handle == handle;
    });
    return found != judged_.answers.end() && found->allowed.refusal != RefusalIs::kNotAllowed;
  }

  std::string asked(const std::string& text) const {
    return fmt::format("seen = {}", question_.plain ? text : answered(text));
  }

  // A step that makes a handle. In a child a store must not come back as the answer. A store that
  // refuses where this one did not has not come to the difference.
  void bind(const std::string& process, const std::string& handle, const std::string& text) {
    watch(process);
    if (asks_answer()) {
      const std::string ask = process == kHome ? text : fmt::format("type({}).__name__", text);
      parts_.add(process, asked(ask));
      parts_.give(process, "seen");
    } else if (refused(answer())) {
      parts_.add(process, answered(text));
    } else {
      const bool may = may_be_refused() && is_followed(process);
      parts_.add(process, fmt::format("{} = {}", variable(handle), may ? answered(text) : text));
      parts_.bind(process, variable(handle));
      if (!may) return;
      parts_.at_home(fmt::format("if isinstance({}, str):", variable(handle)));
      parts_.at_home("    return print(\"gone\", " + variable(handle) + ")");
    }
  }

  // Whether `main` itself goes on with what the process did.
  bool is_followed(const std::string& process) const {
    return process == kHome && !in_fork_ && !apart() && !by_moments();
  }

  // --- steps

  Done write(const Make& make) {
    if (auto done = serve(*make.kind.operator->()); !done) return done;
    note_store(*make.kind.operator->());
    const std::string* process = &make.in;
    if (!make.around.empty()) process = handles_.process_of(make.around, make.in);
    if (!process || std::holds_alternative<Absent>(answer())) return {};
    bind(*process, make.as, words_.make(make, far_));
    return {};
  }

  // Python's own server gives a folder, and always the whole of a file; a few lines make it give a
  // part.
  Done serve(const Adapter& kind) {
    if (!kind.served) return {};
    const bool whole = kind.make.find("\"/whole/") != std::string::npos;
    const std::string word = whole ? "whole" : "ranges";
    if (serves_ == word) return {};
    if (!serves_.empty()) return bad_input("a script has one server, and two kinds are needed");
    serves_ = word;
    parts_.at_home(fmt::format("os.symlink(\".\", \"{}\")", word));
    parts_.at_home("SimpleHTTPRequestHandler.protocol_version = \"HTTP/1.1\"");
    parts_.at_home(fmt::format("server = ThreadingHTTPServer((\"127.0.0.1\", 0), {})",
                               whole ? "SimpleHTTPRequestHandler" : "Ranges"));
    parts_.at_home("threading.Thread(target=server.serve_forever, daemon=True).start()");
    parts_.at_home("os.environ[\"SERVER\"] = f\"http://127.0.0.1:{server.server_port}\"");
    return {};
  }

  void note_store(const Adapter& kind) {
    for (const Adapter* it = &kind; it; it = it->inner) {
      for (const std::string& line : it->imports)
        if (std::ranges::find(code_.imports, line) == code_.imports.end())
          code_.imports.push_back(line);
      code_.makes += it->make + "\n";
      if (it->file.empty() || !options_.packages.is_object()) continue;
      for (const auto& [name, version] : options_.packages.items()) code_.unknown.push_back(name);
    }
  }

  Done write(const Call& call) {
    for (std::size_t i = 0; i < call.on.size(); ++i) {
      const std::string* process = handles_.process_of(call.on[i], call.in);
      const bool told = is_told() && i == told_.where.call;
      if (!process || (std::holds_alternative<Absent>(answer(i)) && !told)) continue;
      const std::string text = words_.call(call, call.on[i], case_);
      if (text.empty()) return bad_input("the store has no such operation in this release");
      if (question_.earlier && question_.earlier->step == at_ && question_.earlier->handle == i) {
        parts_.add(*process, "expected = " + answered(question_.earlier->ask));
        parts_.give(*process, "expected");
        continue;
      }
      write_one(call, i, *process, text);
      if (told && ends_with_answer()) return {};
    }
    return {};
  }

  // What is asked is a call's own answer: its mirrored handles after it are not asked.
  bool ends_with_answer() const { return question_.form != Form::kPlace; }

  void write_one(const Call& call, std::size_t handle, const std::string& process,
                 const std::string& text) {
    const bool told = is_told() && handle == told_.where.call;
    if (told) watch(process);
    if (told && question_.form == Form::kAnswer) {
      const std::string ask =
          !question_.ask.empty() ? question_.ask : words_.question(call, call.on[handle], case_);
      parts_.add(process, asked(ask));
      return parts_.give(process, "seen");
    }
    if (told && by_moments()) return stop_within(process, text);
    if (told && question_.form == Form::kDeath && process != kHome) {
      parts_.add(process, text);
      parts_.of_child(process).is_asked = true;
      return;
    }
    if (call.op == Op::kState)
      return parts_.add(process, fmt::format("{{it: getattr({0}, it, None) for it in dir({0})}}",
                                             variable(call.on[handle])));
    if (!call.as.empty() && shown(answer(handle))) {
      parts_.add(process, fmt::format("{} = {}", variable(call.as), text));
      return parts_.bind(process, variable(call.as));
    }
    parts_.add(process, may_be_refused(handle) ? may_refuse(call, handle, process, text) : text);
  }

  // What was acknowledged counts; a store that refuses it instead has lost nothing.
  std::string may_refuse(const Call& call, std::size_t handle, const std::string& process,
                         const std::string& text) {
    const Operation& row = operation(call.op);
    const bool counts = row.writes() || row.on_handle == OnHandle::kEnds;
    if (!counts || !is_followed(process) || !shown(answer(handle))) return answered(text);
    const bool first = !std::exchange(counts_refusals_, true);
    return fmt::format("refused = {}{}", answered(text), first ? "" : " or refused");
  }

  Done write(const Carry& carry) {
    const std::string* from = handles_.process_of(carry.from, carry.in);
    if (!from || std::holds_alternative<Absent>(answer())) {
      if (!from || !is_told()) return {};
    }
    const std::string packed = words_.packed(carry, case_);
    if (*from == carry.to) {
      bind(*from, carry.as, words_.received(carry, packed));
      return {};
    }
    if (*from != kHome) {
      watch(*from);
      parts_.add(*from, fmt::format("packed = {}", packed));
      parts_.give(*from, "packed");
      if (is_told() && carry.to == kHome && asks_answer()) return carry_home_is_asked(carry);
      parts_.flush();
    }
    if (carry.to == kHome) {
      bind(std::string(kHome), carry.as, words_.received(carry, "packed"));
      return {};
    }
    arrive(carry, *from == kHome ? packed : "packed");
    return {};
  }

  // Packing there may be what is refused, and receiving here as well.
  Done carry_home_is_asked(const Carry& carry) {
    parts_.of_child(*handles_.process_of(carry.from, carry.in)).lines.back() =
        "packed = " + answered(words_.packed(carry, case_));
    parts_.flush();
    parts_.at_home(
        fmt::format("seen = packed if str(packed).startswith(\"raised\") else answer(lambda: {})",
                    words_.received(carry, "packed")));
    return {};
  }

  // In a child: the packed handle is an argument of the function that goes on with it.
  void arrive(const Carry& carry, const std::string& argument) {
    parts_.flush();
    const std::string received = words_.received(carry, "packed");
    parts_.of_child(carry.to).parameters = {"packed"};
    parts_.of_child(carry.to).arguments = {argument};
    watch(carry.to);
    if (is_told() && (question_.form == Form::kAnswer || question_.form == Form::kDeath)) {
      parts_.add(carry.to, fmt::format("return type({}).__name__", received));
      parts_.of_child(carry.to).is_asked = true;
    } else if (refused(answer())) {
      parts_.add(carry.to, received);
      parts_.of_child(carry.to).refused = true;
      parts_.flush();
    } else {
      parts_.add(carry.to, fmt::format("{} = {}", variable(carry.as), received));
      parts_.bind(carry.to, variable(carry.as));
    }
  }

  // --- forks

  Done write(const Fork& fork) {
    parts_.flush();
    if (fork.in != kHome) return bad_input("a script cannot reach what a child forked");
    wake();
    warm();
    watch(fork.in);
    if (exits(fork.process)) return fork_that_exits(fork.process);
    parts_.fork(fork.process);
    return {};
  }

  // A store's threads run in whoever used such a store: without them a fork is another one.
  void wake() {
    std::set<std::string> lines;
    for (const Step& step : case_.steps)
      if (const auto* make = std::get_if<Make>(&step))
        for (const Adapter* it = make->kind.operator->(); it; it = it->inner)
          if (!it->before.empty() && lines.insert(it->before).second)
            parts_.at_home(it->before + "  # such a store was used before");
  }

  // zarr's event loop runs in whatever uses arrays, or its own `sync`.
  void warm() {
    const bool runs = std::ranges::any_of(case_.steps, [](const Step& step) {
      if (const auto* make = std::get_if<Make>(&step)) return make->kind->waits;
      const auto* call = std::get_if<Call>(&step);
      return call && (call->by == By::kSync || operation(call->op).family == Family::kArray ||
                      operation(call->op).family == Family::kBind);
    });
    if (runs && !words_.zarr_2())
      parts_.at_home("sync(asyncio.sleep(0))  # zarr's event loop runs");
  }

  std::optional<std::size_t> exit_of(const std::string& process) const {
    for (std::size_t i = at_; i < case_.steps.size() && i <= told_.where.step; ++i)
      if (const auto* deed = std::get_if<Deed>(&case_.steps[i]))
        if (deed->in == process && deed->what == What::kExit) return i;
    return std::nullopt;
  }
  bool exits(const std::string& process) const { return exit_of(process).has_value(); }

  // A forked child of a pool ends without Python's exit: one that exits is forked by hand. All its
  // steps stand in the fork.
  Done fork_that_exits(const std::string& process) {
    const Lines outer = parts_.take_home();
    in_fork_ = true;
    if (auto done = write_until_exit(process); !done) return done;
    const Lines inner = parts_.take_home();
    in_fork_ = false;
    parts_.at_home(outer);
    parts_.at_home(fmt::format("if not ({} := os.fork()):", variable(process)));
    for (const std::string& line : inner) parts_.at_home("    " + line);
    parts_.at_home("    sys.exit()");
    const bool asked = exit_is_asked(process);
    parts_.at_home(fmt::format("{}os.waitpid({}, 0){}",
                               asked ? "seen = os.waitstatus_to_exitcode(" : "", variable(process),
                               asked ? "[1])" : ""));
    if (asked) question_.defect = "seen != 0";
    code_.forks = true;
    return {};
  }

  // The steps of a fork up to its exit, as lines of the script itself.
  Done write_until_exit(const std::string& process) {
    const std::size_t end = *exit_of(process);
    handles_.take(case_.steps[at_]);
    for (++at_; at_ < end; ++at_) {
      const Step& step = case_.steps[at_];
      if (!all_in(step, process))
        return bad_input("a script cannot go back to a forked process and then let it exit");
      if (const auto* make = std::get_if<Make>(&step)) {
        note_store(*make->kind.operator->());
        bind(std::string(kHome), make->as, words_.make(*make, far_));
      } else if (const auto* call = std::get_if<Call>(&step)) {
        for (std::size_t i = 0; i < call->on.size(); ++i)
          write_one(*call, i, std::string(kHome), words_.call(*call, call->on[i], case_));
      } else {
        write_in(std::get<Deed>(step), std::string(kHome));
      }
      handles_.take(step);
    }
    return {};
  }

  // Carries and forks are nobody's own.
  bool all_in(const Step& step, const std::string& process) const {
    if (const auto* make = std::get_if<Make>(&step)) return make->in == process;
    if (const auto* call = std::get_if<Call>(&step))
      return std::ranges::all_of(call->on, [&](const std::string& it) {
        const std::string* where = handles_.process_of(it, call->in);
        return where && *where == process;
      });
    const auto* deed = std::get_if<Deed>(&step);
    return deed && deed->in == process;
  }

  // --- deeds

  Done write(const Deed& deed) {
    if (deed.what == What::kDeleteFile) return delete_file(deed), Done{};
    if (deed.what == What::kExit && deed.in != kHome) {
      end_by_exit(deed.in);
      return {};
    }
    std::string process = deed.in;
    if (deed.what == What::kDrop && !deed.handle.empty())
      if (const std::string* where = handles_.process_of(deed.handle, deed.in)) process = *where;
    write_in(deed, process);
    return {};
  }

  // Its last process of a pool ends as Python ends. Whether it can is what may be asked.
  void end_by_exit(const std::string& process) {
    const std::string pool = variable(process);
    const bool asked = exit_is_asked(process);
    if (asked) parts_.at_home(fmt::format("child, = {}._processes.values()", pool));
    parts_.at_home(fmt::format("{}.shutdown()  # {} ends", pool, process));
    if (asked) parts_.at_home("seen = child.exitcode");
    if (asked) question_.defect = "seen != 0";
  }

  bool exit_is_asked(const std::string& process) const {
    return question_.form == Form::kDeath && told_.where.operation == "exit" &&
           told_.where.process == process;
  }

  void write_in(const Deed& deed, const std::string& process) {
    watch(process);
    switch (deed.what) {
      case What::kChangeDirectory: {
        const std::string folder = text_literal("../of-" + deed.in);
        parts_.add(process, fmt::format("os.makedirs({}, exist_ok=True)", folder));
        return parts_.add(process, fmt::format("os.chdir({})", folder));
      }
      case What::kDrop:
        parts_.add(process, fmt::format("del {}", variable(deed.handle)));
        parts_.bind(process, variable(deed.handle));
        parts_.add(process, "gc.collect()");
        if (process != kHome && is_told() && question_.form == Form::kDeath)
          parts_.of_child(process).is_asked = true;
        return;
      case What::kExit:
        return parts_.add(process, "sys.exit()");
      case What::kQuit:
      case What::kDie:
        parts_.add(process, deed.what == What::kQuit ? "os._exit(0)"
                                                     : "os.kill(os.getpid(), signal.SIGKILL)");
        if (process == kHome) return;
        parts_.of_child(process).ends = true;
        return parts_.flush();
      case What::kDeleteFile:
        break;
    }
  }

  // An outsider's deed: of what is not there, nothing.
  void delete_file(const Deed& deed) {
    const auto* before = disk_before(deed.at);
    if (before && before->state == OnDisk::State::kMissing) return;
    const bool file = make_at(case_, deed.at)->kind->medium == Medium::kZip;
    parts_.at_home(fmt::format("{}({})", file ? "os.remove" : "shutil.rmtree",
                               file_text(*make_at(case_, deed.at), case_, at_)));
  }

  const OnDisk* disk_before(const std::string& place) const {
    for (std::size_t i = at_; i > 0; --i) {
      const auto found = seen_.steps[i - 1].disk.find(place);
      if (found != seen_.steps[i - 1].disk.end()) return &found->second;
    }
    const auto found = seen_.before.find(place);
    return found == seen_.before.end() ? nullptr : &found->second;
  }

  // --- the whole

  // A process may be killed at any moment: here at each return of a C function, one run after the
  // other.
  void stop_within(const std::string& process, const std::string& text) {
    const Lines stop{"count = itertools.count(1)",
                     "",
                     "def stop(frame, event, function):",
                     "    if event == \"c_return\" and next(count) == moment:",
                     "        os.kill(os.getpid(), signal.SIGKILL)",
                     "",
                     "threading.setprofile_all_threads(stop)"};
    for (const std::string& line : stop) parts_.add(process, line);
    parts_.add(process, may_be_refused(told_.where.call) ? answered(text) : text);
    if (process == kHome) return;
    parts_.add(process, "threading.setprofile_all_threads(None)  # a pool goes on");
    Stretch& child = parts_.of_child(process);
    child.parameters.emplace_back("moment");
    child.arguments.emplace_back("moment");
    child.is_stopped = true;
  }

  ScriptCode assembled() {
    Lines lines = parts_.take_home();
    if (const std::string global = parts_.globals(); !global.empty())
      lines.insert(lines.begin(), global);
    code_.code = parts_.functions();
    if (by_moments() || apart()) {
      code_.code +=
          fmt::format("def program({}):\n{}\n\n", by_moments() ? "moment" : "", indented(lines));
      code_.apart = !by_moments();
      lines = by_moments() ? moments() : below();
    } else {
      ask_at_home(lines);
    }
    const Lines end = conclusion();
    lines.insert(lines.end(), end.begin(), end.end());
    code_.code += fmt::format("def main():\n{}", indented(lines));
    return code_;
  }

  void ask_at_home(Lines& lines) const {
    if (question_.form == Form::kLeft && !parts_.bound_at_home().empty() &&
        question_.ask.find("/proc/self/fd") != std::string::npos) {
      lines.push_back(fmt::format("del {}", fmt::join(parts_.bound_at_home(), ", ")));
      lines.emplace_back("gc.collect()");
    }
    if (question_.form == Form::kPlace || question_.form == Form::kLeft)
      lines.push_back(asked(question_.ask));
  }

  Lines moments() const {
    return {"for moment in itertools.count(1):",
            "    os.mkdir(f\"../{moment}\")",
            "    os.chdir(f\"../{moment}\")",
            "    if not (child := os.fork()):",
            "        os.setsid()",
            "        program(moment)",
            "        os._exit(0)",
            "    status = os.waitpid(child, 0)[1]",
            "    answer(lambda: os.killpg(child, signal.SIGKILL))  # what it started",
            "    assert status in (0, signal.SIGKILL)",
            "    seen = " + answered(question_.ask),
            "    defect = " + question_.defect,
            "    if defect or status == 0:",
            "        break"};
  }

  // What ends the program by another error is no difference: the script ends likewise.
  Lines below() {
    if (question_.form == Form::kHang) return watched_below();
    Lines lines{"seen = subprocess.run([sys.executable, __file__, \"program\"]).returncode",
                "assert seen != 2"};
    if (question_.form == Form::kDeath)
      question_.defect = "seen != 0";
    else
      ask_at_home(lines);
    return lines;
  }

  Lines watched_below() {
    question_.defect =
        "child.wait() == -signal.SIGKILL and any(map(str.__eq__, seen[1:], seen[2:]))";
    return {
        "child = subprocess.Popen([sys.executable, __file__, \"program\"], "
        "start_new_session=True)",
        "try:",
        fmt::format("    assert child.wait({}) != 2", 2 * options_.hang_seconds),
        "except subprocess.TimeoutExpired:",
        "    os.killpg(child.pid, signal.SIGKILL)",
        "seen = open(\"../stacks\").read().split(\"Timeout\")  # one a second"};
  }

  std::string defect() const {
    const bool of_a_pool = question_.form == Form::kDeath && question_.defect.empty();
    return of_a_pool ? "\"BrokenProcessPool\" in str(seen)" : question_.defect;
  }

  Lines conclusion() const {
    Lines lines;
    const std::string_view history = counts_refusals_ ? "not refused and " : "";
    if (!by_moments()) lines.push_back(fmt::format("defect = {}{}", history, defect()));
    lines.push_back(question_.form == Form::kHang ? "print(seen[-1])"
                    : question_.earlier           ? "print(\"before:\", expected, \"seen:\", seen)"
                                                  : "print(\"seen:\", seen)");
    std::ranges::move(verdict(told_.headline), std::back_inserter(lines));
    return lines;
  }

  const Case& case_;
  const Difference& told_;
  const Observation& seen_;
  const ScriptOptions& options_;
  const Words words_;
  Question question_;
  const Judged judged_;
  const bool far_;  // some process changes its directory

  Handles handles_;
  std::size_t at_ = 0;
  // One process after the other is killed: only a fork begins quickly enough.
  Parts parts_{far_, by_moments() ? "fork" : "spawn"};
  std::string serves_;  // "whole", "ranges": what its server gives
  bool in_fork_ = false;
  bool counts_refusals_ = false;  // as `refused`
  ScriptCode code_;
};

}  // namespace

Result<std::string> write_script(const Case& reduced, const Difference& difference,
                                 const Observation& seen, const ScriptOptions& options) {
  auto words = Words::load(options.reference, options.release);
  if (!words) return std::unexpected(words.error());
  if (!of_other_releases(reduced).empty())
    return bad_input("two releases of zarr cannot be in one environment");
  if (!difference.stores.empty()) {
    auto code = stores_code(reduced, difference, *words);
    return code ? framed(*code, options) : std::unexpected(code.error());
  }
  auto question = question_of(reduced, difference, seen, *words);
  if (!question) return std::unexpected(question.error());
  return Writer(reduced, difference, seen, options, std::move(*words), std::move(*question))
      .write();
}

}  // namespace storefuzz::program
