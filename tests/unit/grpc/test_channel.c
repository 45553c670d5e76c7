        {"404", "text/html\x1f", ERR_UNIMPLEMENTED},
        {"200", "text/html", ERR_UNKNOWN},
        {"200", "application/grpc-web", ERR_UNKNOWN},
        {"502", "application/grpc", ERR_UNAVAILABLE},
    };
    world.on_frame = answer_with_head;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const nghttp2_nv head[] = {NV(":status", cases[i].http),
                                   NV("content-type", cases[i].type)};
