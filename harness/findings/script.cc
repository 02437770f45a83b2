// Steps become lines of `main`, or of functions that a child process runs: consecutive steps of one
// process are a function, which gives back what goes on from there. A child is a real pool of one
// process, which keeps its module's names from call to call.
#include "harness/findings/script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "harness/base/python_text.h"
#include "harness/base/text.h"
#include "harness/case/make_text.h"
#include "harness/findings/script_frame.h"
#include "harness/findings/script_question.h"
#include "harness/findings/script_words.h"
#include "harness/oracles/judged.h"

namespace storefuzz::program {
namespace {

using Lines = std::vector<std::string>;

std::string indented(const Lines& lines, int depth) {
  std::string text;
  for (const std::string& line : lines)
    text += line.empty() ? "\n" : fmt::format("{:{}}{}\n", "", 4 * depth, line);
  return text;
}

std::string compressed(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  compress2(reinterpret_cast<Bytef*>(out.data()), &size,
            reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), Z_BEST_COMPRESSION);
  out.resize(size);
  return out;
}

// Consecutive steps of a child.
struct Stretch {
  std::string process, function;
  Lines lines, parameters, arguments, gives;
  std::set<std::string> binds;  // also what is deleted
  bool refused = false;         // it ends by an exception that does not matter
  bool ends = false;            // so does its process
  bool is_asked = false;        // whether it is refused, or dies, is the question
};

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
    for (const Place& place : case_.before)
      if (auto done = lay(place); !done) return std::unexpected(done.error());
    for (at_ = 0; at_ < case_.steps.size() && at_ <= told_.where.step; ++at_) {
      const Step& step = case_.steps[at_];
      if (is_written(step)) {
        auto done = std::visit([&](const auto& it) { return write(it); }, step);
        if (!done) return std::unexpected(done.error());
      }
      handles_.take(step);
    }
    flush();
    return framed(assembled(), options_);
  }

 private:
  using Form = Question::Form;
  using Done = Result<void>;

  // --- where a line goes

  Lines& lines_of(const std::string& process) {
    if (process == kHome) {
      flush();
      return main_;
    }
    begin(process);
    if (stretch_ && stretch_->process != process) flush();
    if (!stretch_) stretch_.emplace(Stretch{.process = process});
    return stretch_->lines;
  }

  void add(const std::string& process, std::string line) {
    lines_of(process).push_back(std::move(line));
  }

  void binds(const std::string& process, const std::string& name) {
    if (process == kHome)
      at_home_.insert(name);
    else if (stretch_)
      stretch_->binds.insert(name);
  }

  // A spawned process is started when it is first needed.
  void begin(const std::string& process) {
    if (!begun_.insert(process).second) return;
    flush();
    const std::string there =
        far_ ? ", initializer=os.chdir, initargs=(os.environ[\"TMPDIR\"] + \"/a/b/case\",)" : "";
    main_.push_back(fmt::format("{} = ProcessPoolExecutor(1, get_context(\"spawn\"){})",
                                variable(process), there));
  }

  void flush() {
    if (!stretch_) return;
    Stretch stretch = *std::exchange(stretch_, std::nullopt);
    const auto earlier = std::ranges::count(stretches_, stretch.process, &Stretch::process);
    stretch.function = earlier == 0 ? fmt::format("in_{}", stretch.process)
                                    : fmt::format("in_{}_{}", stretch.process, earlier + 1);
    std::string call =
        fmt::format("{}.submit({}).result()", variable(stretch.process),
                    fmt::join(with_front(stretch.arguments, stretch.function), ", "));
    if (stretch.is_asked)
      call = fmt::format("seen = answer(lambda: {})", call);
    else if (stretch.refused || stretch.ends)
      call = fmt::format("answer(lambda: {})", call);
    else if (!stretch.gives.empty())
      call = fmt::format("{} = {}", fmt::join(stretch.gives, ", "), call);
    main_.push_back(call + (stretch.ends ? "  # the process ends" : ""));
    stretches_.push_back(std::move(stretch));
  }

  static Lines with_front(Lines list, const std::string& front) {
    list.insert(list.begin(), front);
    return list;
  }

  void gives(const std::string& process, const std::string& name) {
    if (process != kHome && stretch_) stretch_->gives.push_back(name);
  }

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
      add(process,
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

  // An answer that may be an exception.
  static std::string answered(const std::string& text) {
    const bool call = text.ends_with("()") && text.find_first_of("()[] ") == text.size() - 2;
    return call ? fmt::format("answer({})", text.substr(0, text.size() - 2))
                : fmt::format("answer(lambda: {})", text);
  }
  std::string asked(const std::string& text) const {
    return fmt::format("seen = {}", question_.plain ? text : answered(text));
  }

  // A step that makes a handle. In a child a store must not come back as the answer.
  void bind(const std::string& process, const std::string& handle, const std::string& text) {
    watch(process);
    if (asks_answer()) {
      const std::string ask = process == kHome ? text : fmt::format("type({}).__name__", text);
      add(process, asked(ask));
      gives(process, "seen");
    } else if (shown(answer()) || is_told()) {
      add(process, fmt::format("{} = {}", variable(handle), text));
      binds(process, variable(handle));
    } else {
      add(process, answered(text));
    }
  }

  // --- the places

  std::string file_of(const std::string& place) const {
    for (const Step& step : case_.steps)
      if (const auto* make = std::get_if<Make>(&step); make && make->at == place)
        return file_name(*make);
    return place;
  }

  Medium medium_of(const std::string& place) const {
    for (const Step& step : case_.steps)
      if (const auto* make = std::get_if<Make>(&step); make && make->at == place)
        return make->kind->medium;
    return Medium::kFolder;
  }

  Done lay(const Place& place) {
    const std::string file = file_of(place.name);
    if (medium_of(place.name) == Medium::kFolder) return lay_folder(place, file), Done{};
    const bool plain =
        std::ranges::all_of(place.entries, [](const Entry& it) { return plain_key(it.key); });
    if (plain && place.twists.empty()) return lay_archive(place, file), Done{};
    auto bytes = archive_of(place);
    if (!bytes) return std::unexpected(bytes.error());
    std::vector<std::string> twists;
    for (const Twist& it : place.twists) twists.push_back(it.name);
    main_.push_back(fmt::format("# an archive of {} bytes{}{}", bytes->size(),
                                twists.empty() ? "" : ": ", fmt::join(twists, ", ")));
    main_.push_back(
        fmt::format("pathlib.Path({}).write_bytes(zlib.decompress(base64.b64decode({})))",
                    text_literal(file), text_literal(base64(compressed(*bytes)))));
    return {};
  }

  void lay_archive(const Place& place, const std::string& file) {
    main_.push_back(fmt::format("with zipfile.ZipFile({}, \"w\") as archive:", text_literal(file)));
    for (const Entry& it : place.entries)
      main_.push_back(
          fmt::format("    archive.writestr({}, {})", text_literal(it.key), value_text(it.value)));
  }

  void lay_folder(const Place& place, const std::string& file) {
    std::set<std::string> folders;
    for (const Entry& it : place.entries) {
      const std::string path = file + "/" + it.key;
      const std::string folder = path.substr(0, path.rfind('/'));
      if (folders.insert(folder).second)
        main_.push_back(fmt::format("os.makedirs({}{})", text_literal(folder),
                                    folders.size() > 1 ? ", exist_ok=True" : ""));
      main_.push_back(fmt::format("pathlib.Path({}).write_bytes({})", text_literal(path),
                                  value_text(it.value)));
    }
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

  // Python's own server gives a folder, and always the whole of a file.
  Done serve(const Adapter& kind) {
    if (!kind.served || std::exchange(serves_, true)) return {};
    if (kind.make.find("\"/whole/") == std::string::npos)
      return bad_input("Python has no server that gives a part of a file");
    for (const char* line :
         {"os.symlink(\".\", \"whole\")",
          "SimpleHTTPRequestHandler.protocol_version = \"HTTP/1.1\"",
          "server = ThreadingHTTPServer((\"127.0.0.1\", 0), SimpleHTTPRequestHandler)",
          "threading.Thread(target=server.serve_forever, daemon=True).start()",
          "os.environ[\"SERVER\"] = f\"http://127.0.0.1:{server.server_port}\""})
      add(std::string(kHome), line);
    return {};
  }

  void note_store(const Adapter& kind) {
    for (const Adapter* it = &kind; it; it = it->inner) {
      for (const std::string& line : it->imports)
        if (std::ranges::find(code_.imports, line) == code_.imports.end())
          code_.imports.push_back(line);
      code_.makes += it->make + "\n";
      if (!it->before.empty() && wakes_.empty()) wakes_.push_back(it->before);
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
        add(*process, "expected = " + answered(question_.earlier->ask));
        gives(*process, "expected");
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
      add(process, asked(ask));
      return gives(process, "seen");
    }
    if (told && by_moments()) add_stop();
    if (told && question_.form == Form::kDeath && process != kHome) {
      add(process, text);
      stretch_->is_asked = true;
      return;
    }
    if (call.op == Op::kState)
      return add(process, fmt::format("{{it: getattr({0}, it, None) for it in dir({0})}}",
                                      variable(call.on[handle])));
    if (!call.as.empty() && shown(answer(handle))) {
      add(process, fmt::format("{} = {}", variable(call.as), text));
      return binds(process, variable(call.as));
    }
    add(process, may_be_refused(handle) ? answered(text) : text);
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
      add(*from, fmt::format("packed = {}", packed));
      gives(*from, "packed");
      if (is_told() && carry.to == kHome && asks_answer()) return carry_home_is_asked(carry);
      flush();
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
    Stretch& stretch = *stretch_;
    stretch.lines.back() = fmt::format("return answer(lambda: {})", words_.packed(carry, case_));
    stretch.gives = {};
    stretch.gives.push_back("packed");
    stretch.lines.back() = fmt::format("packed = answer(lambda: {})", words_.packed(carry, case_));
    flush();
    add(std::string(kHome),
        fmt::format("seen = packed if str(packed).startswith(\"raised\") else answer(lambda: {})",
                    words_.received(carry, "packed")));
    return {};
  }

  // In a child: the packed handle is an argument of the function that goes on with it.
  void arrive(const Carry& carry, const std::string& argument) {
    flush();
    begin(carry.to);
    const std::string received = words_.received(carry, "packed");
    lines_of(carry.to);
    stretch_->parameters = {"packed"};
    stretch_->arguments = {argument};
    watch(carry.to);
    if (is_told() && (question_.form == Form::kAnswer || question_.form == Form::kDeath)) {
      add(carry.to, fmt::format("return type({}).__name__", received));
      stretch_->is_asked = true;
    } else if (shown(answer()) || is_told()) {
      add(carry.to, fmt::format("{} = {}", variable(carry.as), received));
      binds(carry.to, variable(carry.as));
    } else {
      add(carry.to, received);
      stretch_->refused = true;
      flush();
    }
  }

  // --- forks

  Done write(const Fork& fork) {
    flush();
    if (fork.in != kHome) return bad_input("a script cannot reach what a child forked");
    begun_.insert(fork.process);
    main_.insert(main_.end(), wakes_.begin(), wakes_.end());
    wakes_.clear();
    warm();
    watch(fork.in);
    if (exits(fork.process)) return fork_that_exits(fork.process);
    forked_.insert(fork.process);
    main_.push_back(
        fmt::format("{} = ProcessPoolExecutor(1, get_context(\"fork\"))", variable(fork.process)));
    main_.push_back(
        fmt::format("{}.submit(os.getpid).result()  # forked here", variable(fork.process)));
    return {};
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
      main_.emplace_back("sync(asyncio.sleep(0))  # zarr's event loop runs");
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
    const std::size_t end = *exit_of(process);
    Lines outer = std::exchange(main_, {});
    handles_.take(case_.steps[at_]);
    for (++at_; at_ < end; ++at_) {
      if (!all_in(case_.steps[at_], process))
        return bad_input("a script cannot go back to a forked process and then let it exit");
      const auto* call = std::get_if<Call>(&case_.steps[at_]);
      const auto* deed = std::get_if<Deed>(&case_.steps[at_]);
      if (call)
        for (std::size_t i = 0; i < call->on.size(); ++i)
          write_one(*call, i, std::string(kHome), words_.call(*call, call->on[i], case_));
      else if (deed)
        write_in(*deed, std::string(kHome));
      else
        return bad_input("a script cannot say what a forked process makes before it exits");
      handles_.take(case_.steps[at_]);
    }
    const Lines inner = std::exchange(main_, std::move(outer));
    main_.push_back(fmt::format("if not ({} := os.fork()):", variable(process)));
    for (const std::string& line : inner) main_.push_back("    " + line);
    main_.emplace_back("    sys.exit()");
    const bool asked = question_.form == Form::kDeath && told_.where.process == process;
    main_.push_back(fmt::format("{}os.waitpid({}, 0){}",
                                asked ? "seen = os.waitstatus_to_exitcode(" : "", variable(process),
                                asked ? "[1])" : ""));
    if (asked) question_.defect = "seen != 0";
    code_.forks = true;
    return {};
  }

  bool all_in(const Step& step, const std::string& process) const {
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
      lines_of(deed.in);
      flush_if_empty();
      flush();
      main_.push_back(fmt::format("{}.shutdown()  # {} ends", variable(deed.in), deed.in));
      return {};
    }
    std::string process = deed.in;
    if (deed.what == What::kDrop && !deed.handle.empty())
      if (const std::string* where = handles_.process_of(deed.handle, deed.in)) process = *where;
    write_in(deed, process);
    return {};
  }

  void flush_if_empty() {
    if (stretch_ && stretch_->lines.empty()) stretch_.reset();
  }

  void write_in(const Deed& deed, const std::string& process) {
    watch(process);
    switch (deed.what) {
      case What::kChangeDirectory: {
        const std::string folder = text_literal("../of-" + deed.in);
        add(process, fmt::format("os.makedirs({}, exist_ok=True)", folder));
        return add(process, fmt::format("os.chdir({})", folder));
      }
      case What::kDrop:
        add(process, fmt::format("del {}", variable(deed.handle)));
        binds(process, variable(deed.handle));
        add(process, "gc.collect()");
        if (process != kHome && is_told() && question_.form == Form::kDeath)
          stretch_->is_asked = true;
        return;
      case What::kExit:
        return add(process, "sys.exit()");
      case What::kQuit:
      case What::kDie:
        add(process,
            deed.what == What::kQuit ? "os._exit(0)" : "os.kill(os.getpid(), signal.SIGKILL)");
        if (process == kHome) return;
        stretch_->ends = true;
        return flush();
      case What::kDeleteFile:
        break;
    }
  }

  // An outsider's deed: of what is not there, nothing.
  void delete_file(const Deed& deed) {
    const auto* before = disk_before(deed.at);
    if (before && before->state == OnDisk::State::kMissing) return;
    const bool file = medium_of(deed.at) == Medium::kZip;
    add(std::string(kHome), fmt::format("{}({})", file ? "os.remove" : "shutil.rmtree",
                                        text_literal(file_of(deed.at))));
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
  void add_stop() {
    add(std::string(kHome), "count = itertools.count(1)");
    add(std::string(kHome), "");
    add(std::string(kHome), "def stop(frame, event, function):");
    add(std::string(kHome), "    if event == \"c_return\" and next(count) == moment:");
    add(std::string(kHome), "        os.kill(os.getpid(), signal.SIGKILL)");
    add(std::string(kHome), "");
    add(std::string(kHome), "threading.setprofile_all_threads(stop)");
  }

  bool mentioned_elsewhere(const Stretch& stretch, const std::string& name) const {
    return std::ranges::any_of(stretches_, [&](const Stretch& it) {
      return &it != &stretch && it.process == stretch.process &&
             std::ranges::any_of(it.lines,
                                 [&](const std::string& line) { return mentions(line, name); });
    });
  }

  std::string function_of(const Stretch& stretch) const {
    Lines lines;
    Lines global;
    for (const std::string& name : stretch.binds)
      if (mentioned_elsewhere(stretch, name) || is_deleted(stretch, name)) global.push_back(name);
    if (!global.empty()) lines.push_back(fmt::format("global {}", fmt::join(global, ", ")));
    lines.insert(lines.end(), stretch.lines.begin(), stretch.lines.end());
    give_back(stretch, lines);
    const std::string began = forked_.contains(stretch.process) ? "forked" : "spawned";
    const std::string comment = stretch.function == "in_" + stretch.process
                                    ? fmt::format("# {}, a {} process\n", stretch.process, began)
                                    : "";
    return fmt::format("{}def {}({}):\n{}\n\n", comment, stretch.function,
                       fmt::join(stretch.parameters, ", "), indented(lines, 1));
  }

  static bool is_deleted(const Stretch& stretch, const std::string& name) {
    return std::ranges::find(stretch.lines, "del " + name) != stretch.lines.end();
  }

  // What the function gives: its last line itself, where that is what is given.
  static void give_back(const Stretch& stretch, Lines& lines) {
    if (stretch.gives.empty()) return;
    const std::string one = stretch.gives.front() + " = ";
    if (stretch.gives.size() == 1 && lines.back().starts_with(one))
      lines.back() = "return " + lines.back().substr(one.size());
    else
      lines.push_back(fmt::format("return {}", fmt::join(stretch.gives, ", ")));
  }

  // What a fork inherits are names of the module.
  std::string globals_of_home() const {
    Lines names;
    for (const std::string& name : at_home_)
      if (std::ranges::any_of(stretches_, [&](const Stretch& it) {
            return forked_.contains(it.process) &&
                   std::ranges::any_of(
                       it.lines, [&](const std::string& line) { return mentions(line, name); });
          }))
        names.push_back(name);
    return names.empty() ? "" : fmt::format("global {}", fmt::join(names, ", "));
  }

  ScriptCode assembled() {
    std::string functions;
    for (const Stretch& it : stretches_) functions += function_of(it);
    if (const std::string global = globals_of_home(); !global.empty())
      main_.insert(main_.begin(), global);
    Lines end;
    if (by_moments()) {
      functions += fmt::format("def program(moment):\n{}\n\n", indented(main_, 1));
      main_ = moments();
      end = conclusion();
    } else if (apart()) {
      functions += fmt::format("def program():\n{}\n\n", indented(main_, 1));
      main_ = below();
      end = conclusion();
      code_.apart = true;
    } else {
      ask_at_home(main_);
      end = conclusion();
    }
    main_.insert(main_.end(), end.begin(), end.end());
    code_.code = functions + fmt::format("def main():\n{}", indented(main_, 1));
    return code_;
  }

  void ask_at_home(Lines& lines) const {
    if (question_.form == Form::kLeft && !at_home_.empty() &&
        question_.ask.find("/proc/self/fd") != std::string::npos) {
      lines.push_back(fmt::format("del {}", fmt::join(at_home_, ", ")));
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
            "        program(moment)",
            "        os._exit(0)",
            "    status = os.waitpid(child, 0)[1]",
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
    if (!by_moments()) lines.push_back("defect = " + defect());
    lines.push_back(question_.form == Form::kHang ? "print(seen[-1])"
                    : question_.earlier           ? "print(\"before:\", expected, \"seen:\", seen)"
                                                  : "print(\"seen:\", seen)");
    lines.push_back(fmt::format("print({} if defect else \"gone\")",
                                text_literal("DEFECT: " + told_.headline)));
    lines.emplace_back("return defect");
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
  Lines main_;
  std::optional<Stretch> stretch_;
  std::vector<Stretch> stretches_;
  std::set<std::string> begun_, forked_, at_home_;
  bool serves_ = false;
  Lines wakes_;  // what starts a store's threads: a fork matters only where they run
  ScriptCode code_;
};

}  // namespace

Result<std::string> write_script(const Case& reduced, const Difference& difference,
                                 const Observation& seen, const ScriptOptions& options) {
  auto words = Words::load(options.operations, options.release);
  if (!words) return std::unexpected(words.error());
  if (!of_other_releases(reduced).empty())
    return bad_input("two releases of zarr cannot be in one environment");
  auto question = question_of(reduced, difference, seen, *words);
  if (!question) return std::unexpected(question.error());
  auto text =
      Writer(reduced, difference, seen, options, std::move(*words), std::move(*question)).write();
  if (!text) return text;
  return text;
}

}  // namespace storefuzz::program
