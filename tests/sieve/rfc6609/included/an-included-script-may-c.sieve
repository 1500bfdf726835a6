require "include"; include :global "an-included-script-may-d";
