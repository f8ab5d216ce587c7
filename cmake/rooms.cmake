# A room is a folder of sources, or a few pieces of one, that includes only its own headers and those
# of the rooms that it stands on. docs/changing.md has the plan of the house; tests/rooms/check reads
# these calls, too.
#
#   sshexec_add_room(actors/pool ON actors/services ssh LINKS fmt::fmt)
#   sshexec_add_room(actors/settings PIECES settings ON actors/runtime)
#
# Each room is an object library, `sshexec_` and its name with underscores. It has an include folder of
# its own, in which its headers alone can be found: an include of any other room does not compile.

# sshexec_add_room(ROOM [PIECES name...] [ON room...] [LINKS library...])
function(sshexec_add_room room)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PIECES;ON;LINKS")
  string(REPLACE "/" "_" target sshexec_${room})
  set(headers ${PROJECT_BINARY_DIR}/rooms/${room}/sshexec)
  if(arg_PIECES)
    cmake_path(GET room PARENT_PATH folder)
    file(MAKE_DIRECTORY ${headers}/${folder})
    foreach(piece IN LISTS arg_PIECES)
      foreach(file IN ITEMS ${piece}.hpp ${piece}.cpp)
        if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/${file})
          list(APPEND sources ${PROJECT_SOURCE_DIR}/${folder}/${file})
        endif()
      endforeach()
      if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/${piece}.hpp)
        file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder}/${piece}.hpp
          ${headers}/${folder}/${piece}.hpp SYMBOLIC)
      endif()
    endforeach()
  else()
    cmake_path(GET room PARENT_PATH folder)
    file(MAKE_DIRECTORY ${headers}/${folder})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${room} ${headers}/${room} SYMBOLIC)
    file(GLOB sources CONFIGURE_DEPENDS
      ${PROJECT_SOURCE_DIR}/${room}/*.cpp ${PROJECT_SOURCE_DIR}/${room}/*.hpp)
  endif()

  add_library(${target} OBJECT ${sources})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/rooms/${room}>)
  list(TRANSFORM arg_ON REPLACE "/" "_")
  list(TRANSFORM arg_ON PREPEND sshexec_)
  target_link_libraries(${target} PUBLIC ${arg_ON} PRIVATE ${arg_LINKS})
endfunction()
