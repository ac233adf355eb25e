//! The exercises' checks are right: they pass what is right, and tell each mistake by its name.

judge::prove!(
    read_msg,
    "1-read-msg",
    right: [takes_and_reads_to_the_end],
    wrong: [
        one_read_for_the_body,
        believes_the_length,
        checks_after_it_made_room,
        little_endian,
        reads_ahead,
        cut_length_is_a_clean_end,
        gives_up_when_interrupted
    ]
);
