// A program that is being written: step by step, by what is at stake after the steps so far.
//
//     Draft draft(taste, choices, draw_frame(taste, choices));
//     for (int i = 0; i < 7; ++i) draft.draw_step();
//     draft.draw_end();
//     Case value = std::move(draft).finish();
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "harness/case/choices.h"
#include "harness/case/fit.h"
#include "harness/case/program.h"
#include "harness/generate/taste.h"
#include "harness/model/model.h"

namespace storefuzz::program {

class Draft {
 public:
  // `frame` has places and processes; its steps are not read. What is given must outlive the draft.
  Draft(const Taste& taste, Choices& choices, Case frame);

  bool take(Step step);  // appends a step; false: it cannot stand here
  void draw_step();      // one more, of any kind; none, where nothing that was drawn fits
  void draw_end();       // the writers close in some order, and a fresh handle reads
  Case finish() &&;

  // A name that steps to come will bind: no new handle takes that name.
  void reserve(std::string name) { names_.insert(std::move(name)); }

 private:
  using Facts = HandleFacts;
  using Weight = std::function<std::uint32_t(const Facts&)>;

  void take_with_states(const Carry& carry);
  void ask_the_broken();
  void ask_the_read_only();
  void write_the_new_array();
  void read_the_new_attribute();

  StoreKind kind_to_make();
  std::optional<Step> draw_make();
  std::optional<Step> draw_call();
  std::optional<Step> draw_carry();
  std::optional<Step> draw_fork();
  std::optional<Step> draw_deed();
  std::optional<Step> draw_process_end();

  const Operation& draw_operation(const Facts& on);
  void draw_arguments(Call& call, const Facts& on);
  void draw_range(Call& call);
  std::string draw_stored_key(const Facts& on);
  std::string draw_node(const Operation& row, const Facts& on);
  std::string draw_prefix(const Facts& on);
  Call call_on(const Operation& row, const Facts& on);
  void add_mirrors(Call& call, const Facts& on);
  std::string draw_process();
  std::string new_name();
  bool has_content() const;  // some handle may see a key
  // One of the living handles, each as often as it weighs; nullptr: none weighs anything.
  const Facts* choose(const Weight& weight);
  void close_writers();
  void read_afresh();
  bool read_an_array(const Facts& by);

  template <class Kind>
  const Kind* last_as() const {  // the last step, where it is of this kind
    return value_.steps.empty() ? nullptr : std::get_if<Kind>(&value_.steps.back());
  }

  const Taste& taste_;
  Choices& choices_;
  Case value_;
  Fitter fitter_;
  Model model_;
  std::vector<Facts> facts_;  // after the last step
  std::set<std::string> names_;
  std::map<std::string, StoreKind> made_at_;  // place → the first store made there
};

}  // namespace storefuzz::program
