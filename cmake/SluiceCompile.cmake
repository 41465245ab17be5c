# What every target of ours is compiled with: an interface target, so that nothing leaks to those who embed the library.
add_library(sluice_compile INTERFACE)
target_compile_definitions(sluice_compile INTERFACE _GNU_SOURCE)
target_compile_options(sluice_compile INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings
  -Wundef -Wvla -Wformat=2 -fno-common
  $<$<C_COMPILER_ID:Clang>:-Wthread-safety>)

# Optimised builds are hardened; the sanitizers bring checks of their own.
set(SLUICE_HARDEN $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
target_compile_options(sluice_compile INTERFACE
  $<${SLUICE_HARDEN}:-D_FORTIFY_SOURCE=2> $<${SLUICE_HARDEN}:-fstack-protector-strong>)
target_link_options(sluice_compile INTERFACE $<${SLUICE_HARDEN}:LINKER:-z,relro,-z,now>)

set(SLUICE_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")
option(SLUICE_WERROR "Warnings are errors" OFF)
if(SLUICE_WERROR)
  target_compile_options(sluice_compile INTERFACE -Werror)
endif()
if(SLUICE_SANITIZE)
  target_compile_options(sluice_compile INTERFACE -fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(sluice_compile INTERFACE -fsanitize=${SLUICE_SANITIZE})
endif()
