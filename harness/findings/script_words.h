// The Python of single things in a script: values, the constructor of a step, a call, a carry. The
// lines are those that the worker runs (reference/operations.json, carriers.json).
//
//     auto words = Words::load(reference_folder(), "3.4.2");
//     words->call(call, "s0", handles)   // asyncio.run(s0.get("a", prototype))
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/case/program.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

// A name of a program as one of Python's that the script does not use otherwise.
std::string variable(const std::string& name);

std::string value_text(const Value& value);  // (b"a@1;" * 1800)[:9000]

// A shown answer as a literal; long bytes by the values that the case has. nullopt: it has none.
std::optional<std::string> literal_of(const Shown& shown, const Case& value);

// The file of a place, as the script's first process names it at this step: it may have left the
// folder that has it.
std::string file_text(const Make& make, const Case& value, std::size_t step);

class Words {
 public:
  // machine_failure: a table cannot be read.
  static Result<Words> load(const std::string& reference, const std::string& release);

  bool zarr_2() const { return zarr_2_; }

  // `far`: the process may be in another directory than at its beginning.
  std::string make(const Make& make, bool far) const;

  // A call, run to its end. "": there is no such operation on this handle.
  std::string call(const Call& call, const std::string& handle, const Case& value) const;
  // The same, as a value that can be compared.
  std::string question(const Call& call, const std::string& handle, const Case& value) const;

  std::string packed(const Carry& carry, const Case& value) const;  // what travels
  std::string received(const Carry& carry, const std::string& packed) const;

 private:
  std::string interface_of(const std::string& handle, const Case& value) const;

  Json operations_, carriers_;
  bool zarr_2_ = false;
};

}  // namespace storefuzz::program
