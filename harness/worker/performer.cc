// One function a verb.
#include "harness/worker/performer.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "harness/process/ending.h"
#include "harness/worker/interpreter.h"
#include "harness/worker/kinds.h"
#include "harness/worker/processes.h"
#include "harness/worker/values.h"

namespace storefuzz::program {
namespace {

constexpr std::size_t kMostMakers = 4096;   // expressions that are kept compiled
constexpr py::ssize_t kMostGarbage = 4000;  // objects made since the last collection
constexpr int kLooksAtOpenFiles = 5;
constexpr std::chrono::milliseconds kUntilLetGo{10};  // before the second look; doubled each time

void try_function(PyObject* function) {
  if (!steal(PyObject_CallNoArgs(function))) PyErr_Clear();
}

// The thread of zarr's loop holds what it did last, and its open file, until it does something
// else.
void finish_zarrs_loop() { try_function(side().finish); }

Object call_one(PyObject* function, PyObject* argument) {
  return steal(PyObject_CallOneArg(function, argument));
}

// A call of ours whose refusal does not matter: a release may lack what it names.
void try_text(PyObject* function, const std::string& text) {
  const Object argument = text_object(text);
  if (!argument || !call_one(function, argument.ptr())) PyErr_Clear();
}

// A kind by its word, also a wrapper around a handle; nothing: there is none.
std::optional<StoreKind> kind_by(const std::string& words) {
  const auto& all = all_stores();
  const auto found = std::ranges::find(all, words, [](StoreKind it) { return it->kind; });
  if (found != all.end()) return *found;
  if (auto kind = find_store(words)) return *kind;
  return std::nullopt;
}

Refusal system_refusal(const std::string& what) {
  PyErr_SetFromErrnoWithFilename(PyExc_OSError, what.c_str());
  return refusal({});
}

// Python collects nothing by itself here (`tidy` in performing.py), and what is asked of C does
// nothing while its collector is disabled.
void collect_garbage() {
  PyGC_Enable();
  PyGC_Collect();
  PyGC_Disable();
}

// How many objects were made since the last collection: gc.get_count()[0], whose cost is the call.
bool much_garbage() {
  static PyObject* const count =
      py::module_::import("gc").attr("get_count").cast<Object>().release().ptr();
  const Object counts = steal(PyObject_CallNoArgs(count));
  return !counts || PyLong_AsSsize_t(PyTuple_GET_ITEM(counts.ptr(), 0)) > kMostGarbage;
}

Ending ending_of(int status) {
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
  return {.exit_code = WEXITSTATUS(status)};
}

Answer wait_for(pid_t process) {
  int status = 0;
  pid_t ended = 0;
  Py_BEGIN_ALLOW_THREADS;
  do ended = ::waitpid(process, &status, 0);
  while (ended < 0 && errno == EINTR);
  Py_END_ALLOW_THREADS;
  return Shown{Text{name_of(ended == process && process > 0 ? ending_of(status) : Ending{})}};
}

// How many descriptors this process has: since Linux 6.2 that is the size of /proc/self/fd. 0: not
// known.
std::size_t descriptor_count() {
  struct stat status{};
  return ::stat("/proc/self/fd", &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

}  // namespace

Reply Performer::perform(const Order& order) {
  Reply reply;
  if (order.verb == Verb::kCall && order.watched) {
    read_folder();
    watch_.begin(files_);
    reply.answer = answer(order);
    reply.snapshots = watch_.end();
  } else {
    reply.answer = answer(order);
  }
  if (order.look) look(reply);
  return reply;
}

void Performer::read_folder() {
  if (files_.is_open())
    files_.changed();
  else
    files_.open(folder_);
}

void Performer::close_folder() {
  files_.close();
  told_ = 0;
}

void Performer::look(Reply& reply) {
  read_folder();
  if (files_.version() == told_) return;
  told_ = files_.version();
  reply.looked = files_.size() <= kMostSnapshotBytes ? Looked::kChanged : Looked::kTooLarge;
  if (reply.looked == Looked::kChanged) reply.folder = files_.content();
}

Answer Performer::answer(const Order& order) {
  switch (order.verb) {
    case Verb::kBegin:
      return begin_case(order.text, order.value);
    case Verb::kMake:
      return make(order);
    case Verb::kCall:
      return call(order);
    case Verb::kPack:
      return pack(order);
    case Verb::kUnpack:
      return unpack(order);
    case Verb::kCopy:
      return copy(order);
    case Verb::kDrop:
      return drop(order.handle);
    case Verb::kChangeDirectory:
      return change_directory(order.text);
    case Verb::kWaitFor:
      return wait_for(static_cast<pid_t>(order.start));
    case Verb::kEnd:
      return end_case();
    case Verb::kFork:
    case Verb::kExit:
    case Verb::kQuit:
      break;
  }
  return Absent{};
}

// Where a server listens is chance.
Answer Performer::begin_case(const std::string& folder, const std::string& server) {
  if (!handles_.empty()) end_case();
  folder_ = folder;
  server_ = server;
  threads_ = thread_count();
  names_ = {{folder_, "<case>"}, {scratch_, "<scratch>"}};
  if (!server.empty()) {
    names_.emplace_back(server, "<server>");
    names_.emplace_back(server.substr(server.rfind('/') + 1), "<server>");
  }
  names_.insert(names_.end(), side().prefixes.begin(), side().prefixes.end());
  if (::chdir(folder.c_str()) != 0) return system_refusal(folder);
  return Shown{None{}};
}

PyObject* Performer::held(Slot slot) const {
  const auto found = handles_.find(slot);
  return found == handles_.end() ? nullptr : found->second.ptr();
}

Answer Performer::refused() const { return refusal(names_); }

Answer Performer::bind(Slot slot, Object object) {
  if (!object) return refused();
  Answer answer = Shown{NewHandle{type_name(object.ptr())}};
  if (slot != 0) handles_[slot] = std::move(object);
  return answer;
}

// A store whose adapter wakes threads beforehand has native threads at work in each call.
void Performer::wake(const std::string& words, Slot handle) {
  const std::optional<StoreKind> kind = words.empty() ? std::nullopt : kind_by(words);
  if (!kind) return;
  for (const Adapter* it = kind->operator->(); it; it = it->inner) {
    if (!it->clean.empty()) made_.insert(it->clean);
    if (!it->before.empty()) threaded_.insert(handle);
    if (!awake_.insert(it->kind).second) continue;
    for (const std::string& line : it->imports) try_text(side().bring, line);
    if (!it->before.empty()) try_text(side().run, it->before);
  }
}

PyObject* Performer::maker(const std::string& text) {
  if (makers_.size() > kMostMakers) makers_.clear();
  Object& function = makers_[text];
  if (!function) function = steal(PyObject_CallOneArg(side().maker, text_object(text).ptr()));
  return function.ptr();
}

Answer Performer::make(const Order& order) {
  wake(order.key, order.result);
  PyObject* inner = order.other ? held(order.other) : Py_None;
  if (!inner) return Absent{};
  PyObject* function = maker(order.text);
  if (!function) return refused();
  const Object path = text_object(order.value), server = text_object(server_);
  return bind(order.result, steal(PyObject_CallFunctionObjArgs(function, path.ptr(), inner,
                                                               server.ptr(), nullptr)));
}

Answer Performer::call(const Order& order) {
  PyObject* handle = held(order.handle);
  PyObject* function = handle ? kind_of(handle).operation(order.op) : nullptr;
  const Operation& row = operation(order.op);
  PyObject* other = row.takes.other ? held(order.other) : Py_None;
  if (!function || !other) return Absent{};
  const Object key = row.takes.text() ? text_object(order.key) : py::none();
  const Object value = row.takes.value
                           ? steal(PyBytes_FromStringAndSize(
                                 order.value.data(), static_cast<py::ssize_t>(order.value.size())))
                           : py::none();
  const Object start = steal(PyLong_FromLongLong(order.start));
  const Object end = steal(PyLong_FromLongLong(order.end));
  PyObject* const arguments[] = {handle,
                                 key.ptr(),
                                 value.ptr(),
                                 start.ptr(),
                                 end.ptr(),
                                 other,
                                 order.flag ? Py_True : Py_False};
  // zarr works on arrays and groups in its own loop.
  const bool others = row.family == Family::kArray || row.family == Family::kBind ||
                      threaded_.contains(order.handle);
  const std::optional<Unwatched> others_work =
      others ? std::optional<Unwatched>(std::in_place) : std::nullopt;
  Object result = driver_.run(row.said, function, arguments, order.by);
  if (!result) {
    Answer refusal = refused();
    // Of several writes of which one is refused the others go on: what they leave is this call's.
    if (others && row.writes()) try_function(side().finish_what_is_left);
    return refusal;
  }
  if (row.gives == Gives::kHandle) return bind(order.result, std::move(result));
  return shown(result.ptr(), row.gives, names_);
}

Object Performer::packed(const Order& order, const Ways& carrier, PyObject* put) const {
  const Object cargo = call_one(put, held(order.handle));
  return cargo ? call_one(carrier.there.ptr(), cargo.ptr()) : Object();
}

Answer Performer::received(const Order& order, const Ways& carrier, const Object& packed) {
  PyObject* take = taker(order.cargo);
  if (!take) return Absent{};
  const Object cargo = packed ? call_one(carrier.back.ptr(), packed.ptr()) : Object();
  return bind(order.result, cargo ? call_one(take, cargo.ptr()) : Object());
}

Answer Performer::pack(const Order& order) {
  PyObject* handle = held(order.handle);
  const Ways* carrier = carrier_ways(order.carrier);
  PyObject* put = handle ? kind_of(handle).put(order.cargo) : nullptr;
  if (!carrier || !put) return Absent{};
  const Object bytes = packed(order, *carrier, put);
  return bytes ? Answer(shown(bytes.ptr(), Gives::kBytes, names_)) : refused();
}

Answer Performer::unpack(const Order& order) {
  wake(order.key, order.result);
  const Ways* carrier = carrier_ways(order.carrier);
  return carrier ? received(order, *carrier, py::bytes(order.value)) : Answer(Absent{});
}

Answer Performer::copy(const Order& order) {
  PyObject* handle = held(order.handle);
  const Ways* carrier = carrier_ways(order.carrier);
  PyObject* put = handle ? kind_of(handle).put(order.cargo) : nullptr;
  if (!carrier || !put) return Absent{};
  return received(order, *carrier, packed(order, *carrier, put));
}

Answer Performer::drop(Slot handle) {
  if (handles_.erase(handle) == 0) return Absent{};
  finish_zarrs_loop();
  collect_garbage();
  return Shown{None{}};
}

void Performer::prepare_fork() const { finish_zarrs_loop(); }

Answer Performer::change_directory(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return system_refusal(folder);
  if (::chdir(folder.c_str()) != 0) return system_refusal(folder);
  return Shown{None{}};
}

Names Performer::open_files() {
  Names names;
  found_.clear();
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  const std::string within = folder_ + "/";
  std::array<char, 4096> target;
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const ssize_t size =
        ::readlinkat(::dirfd(folder.get()), entry->d_name, target.data(), target.size());
    const std::string_view file(target.data(),
                                static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    if (!file.starts_with(scratch_)) continue;
    struct stat status{};
    const int number = std::atoi(entry->d_name);
    if (::fstat(number, &status) != 0) continue;
    const OpenFile open{number, status.st_dev, status.st_ino};
    found_.insert(open);
    if (file.starts_with(within) && !open_.contains(open))
      names.names.push_back(plain_text(file, names_));
  }
  std::ranges::sort(names.names);
  return names;
}

// To look at each descriptor costs more than a call. Where there are as many as there were, and
// none of those was a case's, none is left.
bool Performer::other_descriptors() const {
  return descriptors_ == 0 || !open_.empty() || descriptor_count() != descriptors_;
}

Answer Performer::end_case() {
  handles_.clear();
  driver_.settle();
  try_function(side().finish_what_is_left);
  for (const std::string& text : made_) try_text(side().run, text);
  made_.clear();
  threaded_.clear();
  close_folder();
  if (much_garbage()) collect_garbage();
  Names open;
  if (other_descriptors()) {
    open = open_files();
    if (!open.names.empty()) finish_zarrs_loop();
    // What a thread of an event loop has in its hands is closed when it lets go.
    for (int looks = 0; !open.names.empty() && looks < kLooksAtOpenFiles; ++looks) {
      if (looks > 0) {
        const py::gil_scoped_release let_run;  // only who has the GIL gets on
        std::this_thread::sleep_for(kUntilLetGo * (1 << (looks - 1)));
      }
      collect_garbage();
      open = open_files();
    }
    open_ = found_;
    descriptors_ = descriptor_count();
  }
  if (::chdir(scratch_.c_str()) != 0) return system_refusal(scratch_);
  return Shown{std::move(open)};
}

std::size_t Performer::leave_to_python() {
  const Object main = steal(PyImport_ImportModule("__main__"));
  for (auto& [slot, object] : handles_)
    if (!main ||
        PyObject_SetAttrString(main.ptr(), ("s" + std::to_string(slot)).c_str(), object.ptr()) != 0)
      PyErr_Clear();
  handles_.clear();
  return threaded_.empty() ? threads_ : 1;
}

}  // namespace storefuzz::program
