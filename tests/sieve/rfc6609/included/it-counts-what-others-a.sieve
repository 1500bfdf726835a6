require "include"; include "it-counts-what-others-x";
