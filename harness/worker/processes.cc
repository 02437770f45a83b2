// clone(2) and fork(2), with CPython's hooks around: zarr repairs itself through those.
#include "harness/worker/processes.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "harness/worker/python.h"

namespace storefuzz::program {
namespace {

const int kParentEnded = SIGRTMIN + 3;  // sent by the kernel, to us alone
pid_t starter_of_all = 0, parent_of_us = 0;
py::ssize_t modules_of_all = 0;
bool brought_modules = true;
std::size_t threads_of_others = 1;

// Async-signal-safe. Under a new parent that is not the starter nobody would ever ask us again. The
// signal is about a thread: while others of the parent are left, it is still the parent, and the
// last of them will send another signal.
void on_parents_end(int) {
  const pid_t parent = ::getppid();
  if (parent != starter_of_all && parent != parent_of_us) ::_exit(0);
}

py::ssize_t module_count() { return PyDict_Size(PyImport_GetModuleDict()); }

}  // namespace

pid_t bear(pid_t starter) {
  PyOS_BeforeFork();
  // glibc keeps the number of its thread, and its fork has the kernel write the new one there.
  int* number = nullptr;
  unsigned long flags = CLONE_PARENT;
  if (::prctl(PR_GET_TID_ADDRESS, &number, 0, 0, 0) == 0 && number)
    flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  const long pid = ::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, number, 0L);
  if (pid < 0) {
    const int error = errno;
    PyOS_AfterFork_Parent();
    return -error;
  }
  if (pid > 0) {
    PyOS_AfterFork_Parent();
    return static_cast<pid_t>(pid);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != starter) ::_exit(0);
  PyOS_AfterFork_Child();
  return 0;
}

pid_t fork_worker(pid_t starter) {
  starter_of_all = starter;
  const pid_t us = ::getpid();
  PyOS_BeforeFork();
  const pid_t pid = ::fork();
  if (pid != 0) {
    const int error = errno;
    PyOS_AfterFork_Parent();
    return pid < 0 ? -error : pid;
  }
  parent_of_us = us;
  struct sigaction action{};
  action.sa_handler = on_parents_end;
  action.sa_flags = SA_RESTART;
  ::sigaction(kParentEnded, &action, nullptr);
  ::prctl(PR_SET_PDEATHSIG, kParentEnded);
  on_parents_end(0);  // it may be gone already
  PyOS_AfterFork_Child();
  return 0;
}

// The folder of a process's threads has a link for each, beside its own two.
std::size_t thread_count() {
  struct stat status{};
  return ::stat("/proc/self/task", &status) == 0 ? status.st_nlink - 2 : -1;
}

// Python clears the modules that are still there in the reverse order of their import: when it
// comes to ours, exit handlers have run, what a program made is gone, and the modules that every
// worker has alike remain, to clear which is to copy most of the zygote's memory.
void exit_where_rest_is_alike(PyObject*) {
  if (!brought_modules && thread_count() <= threads_of_others) ::_exit(0);
}

void prepare_exit() {
  PyObject* module = PyImport_AddModule("storefuzz_exit");
  Py_INCREF(module);  // what nobody holds goes before anything is cleared
  PyModule_Add(module, "end", PyCapsule_New(&brought_modules, nullptr, exit_where_rest_is_alike));
  modules_of_all = module_count();
}

void exit_by_python(std::size_t threads) {
  threads_of_others = threads;
  brought_modules = module_count() != modules_of_all;
  std::exit(Py_FinalizeEx() < 0 ? 120 : 0);
}

}  // namespace storefuzz::program
