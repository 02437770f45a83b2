// Whether a step can stand at its place in a program: what fit asks, and whoever builds a program
// step by step.
//
//     Fitter fitter(value.processes);
//     if (fitter.take(step)) value.steps.push_back(step);  // mended, where a part said nothing
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/case/program.h"

namespace storefuzz::program {

// Two stores can lie at one place only where they would find what the other one wrote.
struct Layout {
  Medium medium = Medium::kFolder;
  bool opaque = false;  // only its store can read it
  bool operator==(const Layout&) const = default;
};

class Fitter {
 public:
  explicit Fitter(const std::vector<Process>& processes);

  // Mends a step and takes it; false: it cannot stand here, and nothing was taken.
  bool take(Step& step);

  const Handles& handles() const { return handles_; }
  const std::map<std::string, Layout, std::less<>>& places() const { return places_; }
  // Whether a process has begun and has not ended.
  bool runs(std::string_view process) const;
  // Whether a step that was taken named the process.
  bool named(std::string_view process) const;
  // Whether the content of a handle lies on disk, where others can read it as well.
  bool on_disk(std::string_view handle) const;

 private:
  struct Life {
    Began began = Began::kSpawn;
    bool begun = false, ended = false, named = false;
  };

  bool mend(Make& make);
  bool mend(Call& call);
  bool mend(Carry& carry);
  bool mend(Fork& fork);
  bool mend(Deed& deed);
  void note(const Step& step);
  bool can_bind(std::string_view handle) const;
  bool has_room(std::size_t more) const;
  bool find(std::string_view handle, std::string& in) const;

  Handles handles_;
  std::map<std::string, Life, std::less<>> processes_;
  std::map<std::string, Layout, std::less<>> places_;
  std::map<std::string, bool, std::less<>> on_disk_;  // by handle
};

}  // namespace storefuzz::program
