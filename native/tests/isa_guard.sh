#!/bin/sh
# isa_guard.sh OBJDUMP NM LIBRARY OBJECT...
# Instruction handlers are compiled for several instruction sets of the host, each in a namespace of its own. The linker
# keeps one copy of an inline function that several of them define. If that is the newest one, older processors stop at
# an illegal instruction; if it is the plain one, handlers of the newest set quietly run it.
objdump=$1 nm=$2 library=$3
shift 3

# Vector instructions outside of the namespaces. (A clone is local to the object it comes from.)
strays=$("$objdump" -d -C --no-show-raw-insn "$library" | awk '
  /^[0-9a-f]+ <.*>:$/ { name = $0; own = name ~ /avx2|avx512|\[clone/ }
  !own && /^ +[0-9a-f]+:\t(v[a-z]+|kmov[a-z]|shlx|shrx|sarx|rorx|mulx|andn) / { if (name != shown) print name; shown = name }')
[ -z "$strays" ] || { echo "AVX code outside of its namespace:"; echo "$strays"; exit 1; }

# Handlers must exist, or the search above has found nothing because it looked at nothing.
"$objdump" -d -C --no-show-raw-insn "$library" | grep -q '%zmm' || { echo "no AVX-512 code in $library"; exit 1; }

# Inline functions of the emulator that an object shares with those of other instruction sets; destructors are not hot.
shared=$("$nm" -C --defined-only "$@" | grep -E '^[0-9a-f]* W cnn::emu::' | grep -v -E 'plain::|avx2::|avx512::|::~')
[ -z "$shared" ] || { echo "not inlined, and shared between instruction sets:"; echo "$shared"; exit 1; }
