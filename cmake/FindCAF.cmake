# Finds the C++ Actor Framework, for which Debian ships neither a CMake package nor a .pc file.
# Components core, io and openssl; targets CAF::core, CAF::io and CAF::openssl, as CAF 1.x names
# them, so that nothing else changes when CAF's own package takes over.

set(CAF_known_components core io openssl)
if(NOT CAF_FIND_COMPONENTS)
  set(CAF_FIND_COMPONENTS core)
endif()

find_path(CAF_INCLUDE_DIR caf/config.hpp)
mark_as_advanced(CAF_INCLUDE_DIR)

# CAF_VERSION is major * 10000 + minor * 100 + patch: 1706 is 0.17.6.
if(CAF_INCLUDE_DIR)
  file(STRINGS ${CAF_INCLUDE_DIR}/caf/config.hpp CAF_VERSION REGEX "^#define CAF_VERSION [0-9]+")
  string(REGEX REPLACE ".*CAF_VERSION ([0-9]+).*" "\\1" CAF_VERSION "${CAF_VERSION}")
  if(CAF_VERSION)
    math(EXPR CAF_major "${CAF_VERSION} / 10000")
    math(EXPR CAF_minor "${CAF_VERSION} / 100 % 100")
    math(EXPR CAF_patch "${CAF_VERSION} % 100")
    set(CAF_VERSION ${CAF_major}.${CAF_minor}.${CAF_patch})
  endif()
endif()

foreach(component IN LISTS CAF_known_components)
  string(TOUPPER ${component} name)
  find_library(CAF_${name}_LIBRARY caf_${component})
  mark_as_advanced(CAF_${name}_LIBRARY)
  if(CAF_${name}_LIBRARY AND EXISTS "${CAF_INCLUDE_DIR}/caf/${component}/all.hpp"
      OR component STREQUAL "core" AND CAF_CORE_LIBRARY)
    set(CAF_${component}_FOUND TRUE)
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF
  REQUIRED_VARS CAF_CORE_LIBRARY CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION
  HANDLE_VERSION_RANGE
  HANDLE_COMPONENTS
  REASON_FAILURE_MESSAGE
    "Debian and Ubuntu have CAF in libcaf-dev. For an own build, add its prefix to CMAKE_PREFIX_PATH.")

# Each component builds on the one before it.
if(CAF_FOUND)
  find_package(Threads REQUIRED)
  set(CAF_base Threads::Threads)
  foreach(component IN LISTS CAF_known_components)
    string(TOUPPER ${component} name)
    if(CAF_${component}_FOUND AND NOT TARGET CAF::${component})
      add_library(CAF::${component} UNKNOWN IMPORTED)
      set_target_properties(CAF::${component} PROPERTIES
        IMPORTED_LOCATION ${CAF_${name}_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${CAF_INCLUDE_DIR}
        INTERFACE_LINK_LIBRARIES ${CAF_base})
    endif()
    set(CAF_base CAF::${component})
  endforeach()
endif()
