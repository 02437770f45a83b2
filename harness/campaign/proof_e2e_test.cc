// The proof of a run says whether the run sees, whatever the subject itself loses.
#include "harness/base/files.h"
#include "harness/campaign/proof.h"
#include "harness/campaign/subject.h"
#include "harness/testing/whole_runs.h"

namespace storefuzz {
namespace {

using e2e::fs::path;

// The newest zarr, in a folder that keeps its place, so that its environment is made once.
path changed_zarr() { return built_program("storefuzz").parent_path() / "changed-zarr"; }

// Makes that zarr anew, with a ZipStore that leaves this field out of its pickle.
void leave_out(const std::string& field) {
  path packages;
  const auto environment = path(e2e::python(e2e::kNewest)).parent_path().parent_path();
  for (const auto& entry : e2e::fs::directory_iterator(environment / "lib"))
    packages = entry.path() / "site-packages";
  e2e::fs::remove_all(changed_zarr());
  e2e::fs::create_directories(changed_zarr());
  // With times and bytecode as they are: what is not changed is not compiled again.
  const auto copied = e2e::must(
      run_to_end({.arguments = {"cp", "-a", (packages / "zarr").string(), changed_zarr().string()}},
                 Milliseconds(60'000)));
  ASSERT_EQ(copied.exit_code, 0) << copied.output;
  const path file = changed_zarr() / "zarr" / "storage" / "_zip.py";
  const std::string kept = R"(for attr in ["_zf", "_lock"]:)";
  std::string text = test::read_file(file);
  const std::size_t at = text.find(kept);
  ASSERT_NE(at, text.npos) << "the source of zarr " << e2e::kNewest << " is another one";
  text.insert(at + kept.size() - 2, ", \"" + field + "\"");
  e2e::must(write_file_whole(file, text));
}

TEST(Proof, SucceedsWhateverFieldACheckoutLosesAndTheRunFindsTheLoss) {
  leave_out("compression");
  e2e::Running run("storefuzz",
                   {"run", "--zarr", changed_zarr().string(), "--time", "3s", "--no-releases",
                    "--stores", "zip", "--carriers", "pickle 5", "--seed", "7", "--oracles-off",
                    e2e::oracles_but({"attributes"}), "--out", "out"});
  EXPECT_EQ(run.wait(), "exit 1") << run.said() << run.complained();
  const path out = run.folder() / "out";
  const auto found = e2e::read_lines(out / "findings.jsonl");
  const auto loss = std::ranges::find_if(found, [](const Json& line) {
    return line.at("headline").get<std::string>().find("\"compression\"") != std::string::npos;
  });
  ASSERT_NE(loss, found.end()) << run.said();
  // The folder says the number of a release that does not lose the field.
  const auto name = loss->at("fingerprint").get<std::string>();
  const std::string script = test::read_file(out / "findings" / name / "repro.py");
  EXPECT_EQ(script.find("zarr=="), script.npos) << script;
  EXPECT_NE(script.find("uv run --with PATH repro.py"), script.npos) << script;

  const Subject subject = e2e::must(find_subject({.zarr = changed_zarr().string()}, true));
  for (const char* field : {"_is_open", "_read_only", "path", "_fileobj", "_zmode", "allowZip64"}) {
    leave_out(field);
    const auto proof = prove({.dossier = {.python = subject.python,
                                          .release = subject.release,
                                          .published = false,
                                          .scratch = e2e::scratch()},
                              .run = e2e::read_json(out / "run.json")});
    EXPECT_TRUE(proof) << field << ": " << proof.error().message;
  }
}

TEST(Proof, FailsWhereTheOracleThatWouldSeeIsOff) {
  e2e::Running run("storefuzz", {"run", "--time", "3s", "--no-releases", "--stores", "zip",
                                 "--oracles-off", "attributes", "--out", "out"});
  EXPECT_EQ(run.wait(), "exit 3") << run.said();
  EXPECT_NE(run.complained().find("this run would see nothing"), std::string::npos)
      << run.complained();
}

}  // namespace
}  // namespace storefuzz
