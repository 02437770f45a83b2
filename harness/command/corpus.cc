// storefuzz corpus: cases that labs share. export and import: one archive, which may be a
// stranger's. merge: the few cases that reach what all of them reach.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <set>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/campaign/campaign.h"
#include "harness/campaign/corpus_archive.h"
#include "harness/campaign/corpus_folder.h"
#include "harness/campaign/merge.h"
#include "harness/campaign/secret_cases.h"
#include "harness/campaign/subject_lines.h"
#include "harness/command/commands.h"
#include "harness/command/screen.h"
#include "harness/command/subject_options.h"
#include "harness/play/targets.h"
#include "harness/process/scratch.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostLines = 20;  // about cases that are refused

void say_progress(std::string_view line) { screen().progress(line); }

void say_skipped(const CorpusFolder& corpus, const std::string& folder) {
  if (corpus.skipped > 0)
    screen().complain(fmt::format(
        "{} in {} not read: links, folders, pipes, or files that are too large, too "
        "many or unreadable",
        corpus.skipped == 1 ? "1 entry was" : fmt::format("{} entries were", corpus.skipped),
        folder));
}

void add_target(CLI::App& command, std::string& target) {
  std::vector<std::string> names;
  for (const Target& it : kTargets) names.emplace_back(it.name);
  command.add_option("--target", target, "The fuzz target that the cases are for")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
}

// Where programs are played: the subject, and a scratch folder that is gone with it.
struct Stage {
  Subject subject;
  Scratch scratch;
  Settings settings;
};

Result<Stage> make_stage(const SubjectOptions& options) {
  auto subject = prepare_subject(options);
  if (!subject) return std::unexpected(subject.error());
  auto scratch = Scratch::make();
  if (!scratch) return std::unexpected(scratch.error());
  Settings settings;
  settings.python = subject->python;
  settings.scratch = scratch->path();
  settings.planted = options.planted;
  settings.adapters = text_of(added_adapters());
  return Stage{std::move(*subject), std::move(*scratch), std::move(settings)};
}

// --- export

struct ExportOptions {
  SubjectOptions subject;
  std::string folder, file;
  CorpusInfo info;
  bool security = false;
};

// Takes out what should not be public; how many cases those are.
Result<std::size_t> take_out_secret(ExportOptions& options, std::vector<CorpusCase>& cases) {
  auto stage = make_stage(options.subject);
  if (!stage) return std::unexpected(stage.error());
  auto secret = find_secret(stage->settings, cases, say_progress);
  if (!secret) return std::unexpected(secret.error());
  options.info.zarr = stage->subject.release;
  std::size_t at = 0;
  return std::erase_if(cases, [&](const CorpusCase&) { return (*secret)[at++]; });
}

int export_corpus(ExportOptions& options) {
  if (auto ready = prepare_adapter(options.subject); !ready) return screen().fail(ready.error());
  for (const std::string* said : {&options.info.origin, &options.info.licence})
    if (said->size() > kLongestSaying)
      return screen().fail(
          {.code = ExitCode::kBadInput,
           .message = fmt::format("--origin and --licence have at most {} bytes", kLongestSaying)});
  auto corpus = read_corpus(options.folder);
  if (!corpus) return screen().fail(corpus.error());
  say_skipped(*corpus, options.folder);
  std::vector<CorpusCase>& cases = corpus->cases;
  std::erase_if(cases, [](const CorpusCase& it) { return !it.program; });
  if (corpus->others > 0)
    screen().complain(fmt::format("{} not exported: no program that this storefuzz can read",
                                  counted(corpus->others, "file")));
  if (!options.security) {
    auto secret = take_out_secret(options, cases);
    if (!secret) return screen().fail(secret.error());
    if (*secret > 0)
      screen().say(
          fmt::format("{} left out: what {} may concern security; --security takes {} as well",
                      counted(*secret, "case"), *secret == 1 ? "it shows" : "they show",
                      *secret == 1 ? "it" : "them"));
  }
  if (cases.empty())
    return screen().fail(
        {.code = ExitCode::kBadInput,
         .message = fmt::format("there is no case in {} to export", options.folder)});
  auto bytes = pack_corpus(options.info, cases);
  if (!bytes) return screen().fail(bytes.error());
  if (auto written = write_file_whole(options.file, *bytes); !written)
    return screen().fail(written.error());
  screen().say(fmt::format("{}: {} for {}, {} bytes", options.file, counted(cases.size(), "case"),
                           options.info.target, bytes->size()));
  return 0;
}

void add_export(CLI::App& app, int& code) {
  auto options = std::make_shared<ExportOptions>();
  auto& command = *app.add_subcommand(
      "export",
      "Write the cases of a folder into one zip archive, which is the same for the same cases");
  command.add_option("folder", options->folder, "A folder of cases, or a run directory")
      ->required();
  command.add_option("file", options->file, "The archive")->required();
  command.add_option("--origin", options->info.origin, "Who found the cases, where")
      ->capture_default_str();
  command.add_option("--licence", options->info.licence, "Under which licence they are given away")
      ->capture_default_str();
  add_target(command, options->info.target);
  command.add_flag("--security", options->security,
                   "Take also cases that end a process, or change something outside their place; "
                   "then none is played");
  add_subject(command, options->subject);
  command.callback([options, &code] { code = export_corpus(*options); });
}

// --- merge

struct MergeWords {
  SubjectOptions subject;
  std::string out, target{"program"}, lines;
  std::vector<std::string> inputs;
  int jobs = 1, most = static_cast<int>(kMostCases);
};

std::string who_is(const Subject& subject) {
  return fmt::format("{} {} {}", subject.release, subject.python, text_of(subject.path));
}

void say_merged(const Merged& merged, const std::string& out) {
  if (merged.skipped > 0)
    screen().complain(fmt::format("entries that were not read: {}", merged.skipped));
  for (std::size_t i = 0; i < std::min(merged.lost.size(), kMostLines); ++i)
    screen().complain(
        fmt::format("left out, its fuzz process ended {}: {}", "again and again", merged.lost[i]));
  if (merged.known > 0)
    screen().say(fmt::format("{} of {} cases were measured before", merged.known, merged.cases));
  screen().say(fmt::format(
      "{}: {} of {} cases, {} of them new in it; they reach {} of the {} lines "
      "that all reach",
      out, merged.kept, merged.cases, merged.added, merged.kept_reached, merged.reached));
}

int merge_folders(const MergeWords& words) {
  auto stage = make_stage(words.subject);
  if (!stage) return screen().fail(stage.error());
  auto merged = merge_corpora({.target = words.target,
                               .out = words.out,
                               .inputs = {words.inputs.begin(), words.inputs.end()},
                               .settings = stage->settings,
                               .subject = who_is(stage->subject),
                               .jobs = words.jobs,
                               .most = static_cast<std::size_t>(words.most),
                               .progress = say_progress});
  if (!merged) return screen().fail(merged.error());
  say_merged(*merged, words.out);
  if (words.lines.empty()) return 0;
  auto lines = lines_of_subject(stage->subject.python);
  if (!lines) return screen().fail(lines.error());
  const Json told{{"zarr", stage->subject.release},
                  {"lines", by_file(*lines, {merged->lines.begin(), merged->lines.end()})}};
  if (auto written = write_file_whole(words.lines, text_of(told) + "\n"); !written)
    return screen().fail(written.error());
  return 0;
}

void add_merge(CLI::App& app, int& code) {
  auto words = std::make_shared<MergeWords>();
  auto& command = *app.add_subcommand("merge",
                                      "Add to a folder the few cases that reach what all reach; "
                                      "who is interrupted starts it again");
  command
      .add_option("out", words->out, "A folder of cases, which stay; made where it is not there")
      ->required();
  command.add_option("inputs", words->inputs, "Folders of cases, or run directories")->required();
  add_target(command, words->target);
  command.add_option("--jobs", words->jobs, "Fuzz processes side by side")
      ->check(CLI::Range(1, kMostJobs))
      ->capture_default_str();
  command.add_option("--most", words->most, "Cases in the folder at most; then lines may be lost")
      ->check(CLI::Range(1, static_cast<int>(kMostCases)));
  command.add_option("--lines", words->lines,
                     "Write the lines of the subject that the folder reaches into this file");
  add_subject(command, words->subject);
  add_hidden(command, words->subject);
  command.callback([words, &code] { code = merge_folders(*words); });
}

// --- import

struct ImportOptions {
  SubjectOptions subject;
  std::string file, folder;
  int jobs = 1;
  bool merge = false;
};

Result<std::string> read_archive(const std::string& file) {
  const auto wrong = [&](std::string_view what) {
    return bad_input(fmt::format("{} {}", file, what));
  };
  std::error_code error;
  const fs::file_status status = fs::status(file, error);  // a pipe would be waited for
  if (!fs::exists(status)) return wrong("is not there");
  if (fs::is_directory(status)) return wrong("is a folder, not an archive");
  if (!fs::is_regular_file(status)) return wrong("is no file, but a pipe, a socket or a device");
  if (fs::file_size(file, error) > kLargestArchive)
    return wrong(fmt::format("is refused: it has more than {} bytes", kLargestArchive));
  auto bytes = read_file_whole(file);
  if (!bytes || bytes->size() != fs::file_size(file, error)) return wrong("cannot be read");
  return bytes;
}

Result<UnpackedCorpus> read_stranger(const std::string& file) {
  auto bytes = read_archive(file);
  if (!bytes) return std::unexpected(bytes.error());
  auto corpus = unpack_corpus(*bytes);
  if (!corpus) return bad_input(fmt::format("{} is refused: {}", file, corpus.error().message));
  return corpus;
}

// What the folder has already; a folder that is not there has nothing.
Result<std::set<std::string>> hashes_in(const fs::path& folder) {
  std::error_code error;
  std::set<std::string> hashes;
  if (!fs::exists(folder, error)) return hashes;
  auto corpus = read_corpus(folder);
  if (!corpus) return std::unexpected(corpus.error());
  for (const CorpusCase& it : corpus->cases) hashes.insert(it.hash);
  return hashes;
}

Result<void> write_into(const fs::path& folder, const std::vector<CorpusCase>& cases) {
  for (const CorpusCase& it : cases)
    if (auto written = write_file_whole(folder / it.file_name(), it.text); !written) return written;
  return {};
}

// A folder that is new appears with all its files, or not at all.
Result<void> write_cases(const fs::path& named, const std::vector<CorpusCase>& cases) {
  std::error_code error;
  if (fs::exists(named, error)) return write_into(named, cases);
  const fs::path normal = fs::absolute(named).lexically_normal();
  const fs::path folder = normal.has_filename() ? normal : normal.parent_path();
  fs::create_directories(folder.parent_path(), error);
  std::string beside = folder.string() + ".XXXXXX";
  if (error || ::mkdtemp(beside.data()) == nullptr)
    return std::unexpected(cannot_write(folder, error ? error.value() : errno));
  fs::permissions(beside, fs::perms(0755), error);  // mkdtemp gives it to its owner alone
  auto written = write_into(beside, cases);
  if (written) fs::rename(beside, folder, error);
  if (written && error) written = std::unexpected(cannot_write(folder, error.value()));
  if (!written) fs::remove_all(beside, error);
  return written;
}

void say_refused(const std::vector<RefusedCase>& refused) {
  for (std::size_t i = 0; i < std::min(refused.size(), kMostLines); ++i)
    screen().complain(fmt::format("refused: {}: {}", refused[i].name, refused[i].why));
  if (refused.size() > kMostLines)
    screen().complain(fmt::format("refused: {} more", refused.size() - kMostLines));
}

// Of what is new, what reaches lines that nothing in the folder reaches; an exit code where it
// fails.
int take_by_lines(const ImportOptions& options, const UnpackedCorpus& corpus) {
  auto scratch = Scratch::make();
  if (!scratch) return screen().fail(scratch.error());
  const fs::path came = scratch->path() / "came";
  if (auto written = write_cases(came, corpus.cases); !written)
    return screen().fail(written.error());
  return merge_folders({.subject = options.subject,
                        .out = options.folder,
                        .target = corpus.info.target,
                        .inputs = {came.string()},
                        .jobs = options.jobs});
}

int import_corpus(const ImportOptions& options) {
  if (auto ready = prepare_adapter(options.subject); !ready) return screen().fail(ready.error());
  auto corpus = read_stranger(options.file);
  if (!corpus) return screen().fail(corpus.error());
  auto known = hashes_in(options.folder);
  if (!known) return screen().fail(known.error());
  std::vector<CorpusCase>& cases = corpus->cases;
  say_refused(corpus->refused);
  if (cases.empty())
    return screen().fail(
        {.code = ExitCode::kBadInput,
         .message = fmt::format("{} holds no case that can be taken", options.file)});
  const std::size_t there =
      std::erase_if(cases, [&](const CorpusCase& it) { return known->contains(it.hash); });
  if (!options.merge) {
    if (auto written = write_cases(options.folder, cases); !written)
      return screen().fail(written.error());
  } else if (const int code = cases.empty() ? 0 : take_by_lines(options, *corpus); code != 0) {
    return code;
  }
  screen().say(
      fmt::format("{}: {} new, {} there already, {} refused; for {}, origin: {}, licence: {}",
                  options.file, cases.size(), there, corpus->refused.size(), corpus->info.target,
                  corpus->info.origin, corpus->info.licence));
  return 0;
}

void add_import(CLI::App& app, int& code) {
  auto options = std::make_shared<ImportOptions>();
  auto& command = *app.add_subcommand(
      "import", "Add the cases of an archive, of whomever, to a folder; nothing of it is run");
  command.add_option("file", options->file, "An archive that `corpus export` wrote")->required();
  command.add_option("folder", options->folder, "A folder of cases; made where it is not there")
      ->required();
  command.add_flag(
      "--merge", options->merge,
      "Take only what reaches lines that no case of the folder reaches: `corpus merge`");
  command.add_option("--jobs", options->jobs, "With --merge: fuzz processes side by side")
      ->check(CLI::Range(1, kMostJobs))
      ->capture_default_str();
  add_subject(command, options->subject);
  command.callback([options, &code] { code = import_corpus(*options); });
}

}  // namespace

void add_corpus(CLI::App& app, int& code) {
  auto& command = *app.add_subcommand("corpus", "Share cases: export, import, merge");
  command.require_subcommand(1);
  add_export(command, code);
  add_import(command, code);
  add_merge(command, code);
}

}  // namespace storefuzz
