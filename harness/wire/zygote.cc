// Starting the zygote, and its JSON.
#include "harness/wire/zygote.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>

#include <cstring>

#include "harness/base/paths.h"

namespace storefuzz::program {
namespace {

// How the zygote ended, for a person.
std::string end_of(Process& process) {
  const std::string end = process.wait_for_end(Milliseconds(1000));
  return end.empty() ? "it does not answer" : end;
}

}  // namespace

Json to_json(const ZygoteOptions& options) {
  return {{"python", options.python},     {"reference", options.reference},
          {"scratch", options.scratch},   {"adapters", options.adapters},
          {"folders", options.folders},   {"planted", options.planted},
          {"counters", options.counters}, {"stacks", options.stacks}};
}

Result<ZygoteOptions> zygote_options_from(std::string_view text) {
  const Json json = parse_json(text);
  try {
    return ZygoteOptions{.python = json.at("python"),
                         .reference = json.at("reference"),
                         .scratch = json.at("scratch"),
                         .adapters = json.at("adapters"),
                         .folders = json.at("folders"),
                         .planted = json.at("planted"),
                         .counters = json.at("counters"),
                         .stacks = json.at("stacks")};
  } catch (const Json::exception& error) {
    return bad_input(fmt::format("a zygote does not start so: {}", error.what()));
  }
}

Json to_json(const Result<ReferenceInfo>& subject) {
  if (!subject) return {{"error", subject.error().message}};
  return {{"zarr", subject->zarr},
          {"python", subject->python},
          {"containment", subject->containment},
          {"lacking", {{"stores", subject->stores}, {"carriers", subject->carriers}}},
          {"lines", subject->lines}};
}

Result<ReferenceInfo> subject_from(std::string_view text) {
  const Json json = parse_json(text);
  try {
    if (json.contains("error")) return machine_failure(json.at("error"));
    const Json& lacking = json.at("lacking");
    return ReferenceInfo{.zarr = json.at("zarr"),
                         .python = json.at("python"),
                         .containment = json.at("containment"),
                         .stores = lacking.at("stores"),
                         .carriers = lacking.at("carriers"),
                         .lines = json.at("lines")};
  } catch (const Json::exception& error) {
    return machine_failure(fmt::format("a zygote does not answer so: {}", error.what()));
  }
}

Result<Zygote> Zygote::start(const ZygoteOptions& options) {
  auto ends = Channel::pair();
  if (!ends) return std::unexpected(ends.error());
  auto& [ours, theirs] = *ends;
  Command command{
      .arguments = {built_program("storefuzz-worker").string(), std::to_string(theirs.get())},
      .descriptors = {theirs.get()},
      .output = options.output,
      .frames = false};
  for (const int shared : {options.counters, options.stacks})
    if (shared >= 0) command.descriptors.push_back(shared);
  // What a worker forked must not outlive us, whose child it becomes when the worker ends.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  auto process = Process::start(command);
  if (!process) return std::unexpected(process.error());
  theirs.close();
  Json first = to_json(options);
  if (options.reference.empty()) first["reference"] = reference_folder();
  std::string answer;
  if (!ours.send(text_of(first)) || ours.receive(answer, options.patience) != Got::kFrame)
    return machine_failure(fmt::format("storefuzz-worker did not start: {}", end_of(*process)));
  auto subject = subject_from(answer);
  if (!subject) return std::unexpected(subject.error());
  return Zygote(std::move(*process), std::move(ours), std::move(*subject));
}

Result<Born> Zygote::bear(bool loop) {
  auto ends = Channel::pair();
  if (!ends) return std::unexpected(ends.error());
  auto& [ours, theirs] = *ends;
  const char request = loop ? kBearWithLoop : kBear;
  std::string answer;
  std::int32_t pid = -1;
  if (!channel_.send({&request, 1}, theirs.get()) ||
      channel_.receive(answer, Milliseconds(10'000)) != Got::kFrame || answer.size() != sizeof pid)
    return machine_failure(fmt::format("no worker was born: {}", end_of(process_)));
  std::memcpy(&pid, answer.data(), sizeof pid);
  if (pid < 0) return machine_failure(fmt::format("no worker was born: {}", std::strerror(-pid)));
  return Born{pid, std::move(ours)};
}

}  // namespace storefuzz::program
