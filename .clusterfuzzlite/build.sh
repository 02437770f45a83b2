#!/usr/bin/env bash
# Builds the fuzz targets the way OSS-Fuzz and ClusterFuzzLite ask for it: by CXX, CXXFLAGS and
# LIB_FUZZING_ENGINE, from $SRC/storefuzz, in $WORK, into $OUT. Whatever a target needs lies in $OUT
# beside it, and is found there wherever $OUT is moved to: workers, libraries, a Python with zarr,
# the causes that are known already.
#
#   STOREFUZZ_TOOLS   the python of an environment with reference/environments/requirements.txt
#   STOREFUZZ_ZARR    the zarr under test: a release or a wheel (default: the newest known release)
set -euo pipefail

cd -P "$SRC/storefuzz"
targets=(program zip_program zip_layout)
tools=$STOREFUZZ_TOOLS
version=$("$tools" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')

# ---- Programs ----

# Lines of the subject are what programs are kept for. Those of our own generator and model would
# drown them, so only zip_layout, which is about our own code, is compiled for coverage.
export CXXFLAGS="${CXXFLAGS//-fsanitize=fuzzer-no-link/}"
ccache=$(type -P ccache || true)
export CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_PCH_EXTSUM=1
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
cmake -S . -B "$WORK/storefuzz" -G Ninja -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_BUILD_TYPE=None \
  -DCMAKE_CXX_COMPILER_LAUNCHER="$ccache" -DSTOREFUZZ_PYTHON:FILEPATH="$tools" \
  -DSTOREFUZZ_ENGINE="$LIB_FUZZING_ENGINE"
cmake --build "$WORK/storefuzz" --target "${targets[@]}" storefuzz-worker storefuzz-reader
for program in "${targets[@]}" storefuzz-worker storefuzz-reader; do
  cp "$WORK/storefuzz/$program" "$OUT/"
done

# ---- Data ----

cp -r reference "$OUT/"
mkdir -p "$OUT/reports/defects"
cp reports/defects/known.json "$OUT/reports/defects/"

# ---- Python ----

base=$("$tools" -c 'import sys; print(sys.base_prefix)')
zarr=$("$tools" reference/environments/environment.py "${STOREFUZZ_ZARR:-newest}" |
  "$tools" -c 'import json, sys; print(json.load(sys.stdin)["python"])')
packages=$("$zarr" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir -p "$OUT/python/bin" "$OUT/python/lib"
cp "$base/bin/$version" "$OUT/python/bin/python3"
cp -P "$base"/lib/libpython3*.so* "$OUT/python/lib/"
left_out=(site-packages test idlelib tkinter '_tkinter*' turtledemo ensurepip 'config-*'
  __pycache__)
tar -c -C "$base/lib" "${left_out[@]/#/--exclude=}" "$version" |
  tar -x --no-same-owner -C "$OUT/python/lib"
cp -rL "$packages" "$OUT/python/lib/$version/site-packages"
# Nobody can write there later; a start without them takes seconds.
"$OUT/python/bin/python3" -m compileall -q -j 0 -x '/tests?/' --invalidation-mode unchecked-hash \
  "$OUT/python/lib/$version" || true # some packages carry files of other Pythons

# ---- Libraries ----

# The machine that runs the targets has no more than the C library.
mkdir -p "$OUT/lib"
shopt -s nullglob # an interpreter may have all modules in it
own=("${targets[@]/#/$OUT/}" "$OUT/storefuzz-worker" "$OUT/storefuzz-reader"
  "$OUT/python/bin/python3" "$OUT/python/lib/$version"/lib-dynload/*.so)
ldd "${own[@]}" | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u |
  grep -vE '/(libc|libm|libdl|librt|libpthread|libutil|libpython3[^/]*)\.so' |
  xargs -r cp -Lt "$OUT/lib"
# DT_RPATH, and not RUNPATH, because it holds for the libraries of a library as well.
for file in "${own[@]:0:5}"; do
  patchelf --force-rpath --set-rpath '$ORIGIN/lib:$ORIGIN/python/lib' "$file"
done
patchelf --force-rpath --set-rpath '$ORIGIN/../lib:$ORIGIN/../../lib' "$OUT/python/bin/python3"

# ---- Beside the targets ----

options() { printf '%s\n' '[libfuzzer]' "$@"; }
pack() { "$tools" -m zipfile -c "$OUT/$1_seed_corpus.zip" "$2"/*; }

# A finding is reduced and confirmed within the input that shows it, which takes up to a minute.
for target in program zip_program; do
  options 'timeout = 180' 'max_len = 16384' 'len_control = 0' >"$OUT/$target.options"
  "$tools" -c 'import json, sys
rows = [row for row in json.load(sys.stdin).values() if isinstance(row, dict)]
for word in sorted({word for row in rows for word in row}):
    print(json.dumps(json.dumps(word)))' <reference/operations.json >"$OUT/$target.dict"
  # libFuzzer's merge leaves out what would end the target, which a service takes for a bad build.
  mkdir -p "$WORK/seeds/$target"
  seeds=corpus/$target
  [[ -d $seeds ]] || seeds=corpus/program
  (cd "$WORK" && "$OUT/$target" -merge=1 -timeout=180 "seeds/$target" "$OLDPWD/$seeds" \
    >"seeds/$target.log" 2>&1) || { tail -n 40 "$WORK/seeds/$target.log" >&2; exit 1; }
  pack "$target" "$WORK/seeds/$target"
done

options 'max_len = 65536' >"$OUT/zip_layout.options"
cp fuzz/zip_layout.dict "$OUT/"
mkdir -p "$WORK/seeds/zip_layout"
"$tools" -c 'import sys, zipfile
for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(f"{sys.argv[1]}/{method}.zip", "w", method) as archive:
        archive.writestr("a/b", b"value" * 9)
        archive.writestr("a/", b"")' "$WORK/seeds/zip_layout"
pack zip_layout "$WORK/seeds/zip_layout"
