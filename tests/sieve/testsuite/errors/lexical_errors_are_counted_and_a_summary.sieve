keep @;
stop 99999999999999999999999999;
if size :over 4X { keep; }
discard;
if header ^ "x" { stop; }
