// A name that another function of the same process uses is a name of the module.
#include "harness/findings/script_parts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "harness/base/python_text.h"
#include "harness/case/program.h"
#include "harness/findings/script_words.h"

namespace storefuzz::program {
namespace {

bool uses(const Stretch& stretch, const std::string& name) {
  return std::ranges::any_of(stretch.lines,
                             [&](const std::string& line) { return mentions(line, name); });
}

bool deletes(const Stretch& stretch, const std::string& name) {
  return std::ranges::find(stretch.lines, "del " + name) != stretch.lines.end();
}

std::string call_of(const Stretch& stretch) {
  Lines arguments{stretch.function};
  arguments.insert(arguments.end(), stretch.arguments.begin(), stretch.arguments.end());
  const std::string call =
      fmt::format("{}.submit({}).result()", variable(stretch.process), fmt::join(arguments, ", "));
  if (stretch.is_stopped)
    return fmt::format("if \"BrokenProcessPool\" in str({}): os.kill(os.getpid(), signal.SIGKILL)",
                       answered(call));
  if (stretch.is_asked) return "seen = " + answered(call);
  if (stretch.ends) return answered(call) + "  # the process ends";
  if (stretch.refused) return answered(call);
  if (stretch.gives.empty()) return call;
  return fmt::format("{} = {}", fmt::join(stretch.gives, ", "), call);
}

// What the function gives: its last line itself, where that is what is given.
void give_back(const Stretch& stretch, Lines& lines) {
  if (stretch.gives.empty()) return;
  const std::string one = stretch.gives.front() + " = ";
  if (stretch.gives.size() == 1 && lines.back().starts_with(one))
    lines.back() = "return " + lines.back().substr(one.size());
  else
    lines.push_back(fmt::format("return {}", fmt::join(stretch.gives, ", ")));
}

}  // namespace

std::string indented(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line.empty() ? "\n" : "    " + line + "\n";
  return text;
}

Lines verdict(const std::string& headline) {
  return {fmt::format("print({} if defect else \"gone\")", text_literal("DEFECT: " + headline)),
          "return defect"};
}

std::string answered(const std::string& expression) {
  const bool call =
      expression.ends_with("()") && expression.find_first_of("()[] ") == expression.size() - 2;
  return call ? fmt::format("answer({})", expression.substr(0, expression.size() - 2))
              : fmt::format("answer(lambda: {})", expression);
}

void Parts::add(const std::string& process, std::string line) {
  if (process == kHome) return at_home(std::move(line));
  of_child(process).lines.push_back(std::move(line));
}

void Parts::at_home(std::string line) {
  flush();
  home_.push_back(std::move(line));
}

void Parts::at_home(const Lines& lines) {
  for (const std::string& line : lines) at_home(line);
}

void Parts::bind(const std::string& process, const std::string& name) {
  if (process == kHome)
    bound_.insert(name);
  else
    of_child(process).binds.insert(name);
}

void Parts::give(const std::string& process, const std::string& name) {
  if (process != kHome) of_child(process).gives.push_back(name);
}

Stretch& Parts::of_child(const std::string& process) {
  begin(process);
  if (open_ && open_->process != process) flush();
  if (!open_) open_.emplace(Stretch{.process = process});
  return *open_;
}

bool Parts::begin(const std::string& process) {
  if (!begun_.insert(process).second) return false;
  const std::string there =
      far_ ? ", initializer=os.chdir, initargs=(os.environ[\"TMPDIR\"] + \"/a/b/case\",)" : "";
  at_home(fmt::format("{} = ProcessPoolExecutor(1, get_context(\"{}\"){})", variable(process),
                      began_, there));
  return true;
}

void Parts::fork(const std::string& process) {
  begun_.insert(process);
  forked_.insert(process);
  at_home(fmt::format("{} = ProcessPoolExecutor(1, get_context(\"fork\"))", variable(process)));
  at_home(fmt::format("{}.submit(os.getpid).result()  # forked here", variable(process)));
}

void Parts::flush() {
  if (!open_) return;
  Stretch stretch = *std::exchange(open_, std::nullopt);
  if (stretch.lines.empty()) return;
  const auto earlier = std::ranges::count(stretches_, stretch.process, &Stretch::process);
  stretch.function = fmt::format("in_{}", stretch.process);
  if (earlier > 0) stretch.function += fmt::format("_{}", earlier + 1);
  home_.push_back(call_of(stretch));
  stretches_.push_back(std::move(stretch));
}

bool Parts::used_elsewhere(const Stretch& stretch, const std::string& name) const {
  return std::ranges::any_of(stretches_, [&](const Stretch& it) {
    return &it != &stretch && it.process == stretch.process && uses(it, name);
  });
}

std::string Parts::function_of(const Stretch& stretch) const {
  Lines lines, global;
  for (const std::string& name : stretch.binds)
    if (used_elsewhere(stretch, name) || deletes(stretch, name)) global.push_back(name);
  if (!global.empty()) lines.push_back(fmt::format("global {}", fmt::join(global, ", ")));
  lines.insert(lines.end(), stretch.lines.begin(), stretch.lines.end());
  give_back(stretch, lines);
  const bool first = stretch.function == "in_" + stretch.process;
  const std::string comment =
      first ? fmt::format("# {}, a {} process\n", stretch.process,
                          forked_.contains(stretch.process) ? "forked" : "spawned")
            : "";
  return fmt::format("{}def {}({}):\n{}\n\n", comment, stretch.function,
                     fmt::join(stretch.parameters, ", "), indented(lines));
}

std::string Parts::functions() const {
  std::string text;
  for (const Stretch& it : stretches_) text += function_of(it);
  return text;
}

std::string Parts::globals() const {
  Lines names;
  for (const std::string& name : bound_)
    if (std::ranges::any_of(stretches_, [&](const Stretch& it) {
          return forked_.contains(it.process) && uses(it, name);
        }))
      names.push_back(name);
  return names.empty() ? "" : fmt::format("global {}", fmt::join(names, ", "));
}

Lines Parts::take_home() {
  flush();
  return std::exchange(home_, {});
}

}  // namespace storefuzz::program
